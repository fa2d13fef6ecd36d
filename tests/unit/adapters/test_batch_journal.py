"""The journal of batches: order, bounds, what a dead process leaves, and what a torn tail is worth."""

import os
import stat
from pathlib import Path

import pytest

from milter.adapters.history.batch_journal import BatchJournal
from milter.adapters.history.store import Batch, Entry, Mark


def batch(number: int, size: int = 50) -> Batch:
    value = b"%d" % number + b"x" * size
    return Batch(
        entries=((b"d\0", Entry(b"%d" % number, b"g\xff", number, number + 9, value)),),
        marks=((b"t", Mark(b"f", number, number + 1, number + 2, b"\0")),) * (number % 2),
    )


def journal(folder: Path, *, most_bytes: int = 100_000, most_records: int = 10_000) -> BatchJournal:
    return BatchJournal(folder / "journal", most_bytes=most_bytes, most_records=most_records)


def adopting(folder: Path, **bounds: int) -> BatchJournal:
    made = journal(folder, **bounds)
    made.adopt(made.orphans())
    return made


def drained(made: BatchJournal, step: int = 3) -> list[Batch]:
    found = []
    while batches := made.oldest(step):
        found += batches
        made.advance(len(batches))
    return found


def files(folder: Path) -> list[Path]:
    return sorted((folder / "journal").glob("*"))


def test_what_was_kept_comes_back_in_order_and_the_files_go(tmp_path) -> None:
    made = journal(tmp_path)
    kept = [batch(number) for number in range(10)]
    assert all(made.append(each) for each in kept)
    assert len(made) == 10
    assert drained(made) == kept
    assert len(made) == 0
    assert files(tmp_path) == []
    assert made.append(batch(11))
    assert drained(made) == [batch(11)]


def test_reading_without_advancing_changes_nothing(tmp_path) -> None:
    made = journal(tmp_path)
    made.append(batch(1))
    made.append(batch(2))
    assert made.oldest(1) == made.oldest(1) == [batch(1)]
    made.advance(1)
    made.append(batch(3))
    assert made.oldest(9) == [batch(2), batch(3)]


def test_only_the_owner_may_read(tmp_path) -> None:
    made = journal(tmp_path)
    made.append(batch(1))
    (file,) = files(tmp_path)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    made.close()


def test_over_its_octets_it_drops_the_oldest(tmp_path) -> None:
    made = journal(tmp_path, most_bytes=8_000)
    kept = [batch(number, size=100) for number in range(200)]
    for each in kept:
        assert made.append(each)
        assert sum(file.stat().st_size for file in files(tmp_path)) <= 8_000
    left = drained(made)
    assert 30 < len(left) < 200
    assert left == kept[-len(left) :]
    assert made.dropped == 200 - len(left)


def test_over_its_records_it_drops_the_oldest(tmp_path) -> None:
    made = journal(tmp_path, most_bytes=8_000, most_records=20)
    for number in range(60):
        made.append(batch(number))
        assert len(made) <= 20
    assert made.dropped == 60 - len(made)


def test_what_is_larger_than_all_is_not_taken(tmp_path) -> None:
    made = journal(tmp_path, most_bytes=500)
    assert not made.append(batch(1, size=1_000))
    assert len(made) == 0


def test_what_is_dropped_while_it_is_written_is_not_counted_twice(tmp_path) -> None:
    made = journal(tmp_path, most_bytes=2_000)
    made.append(batch(0))
    assert made.oldest(5) == [batch(0)]
    for number in range(1, 40):
        made.append(batch(number))
    waiting = len(made)
    made.advance(1)
    assert len(made) == waiting
    assert made.dropped == 40 - waiting


def test_a_dead_process_s_journal_is_adopted_and_a_living_one_s_is_not(tmp_path) -> None:
    first = journal(tmp_path)
    first.append(batch(1))
    second = adopting(tmp_path)
    second.append(batch(2))
    assert drained(second) == [batch(2)]
    first.close()
    second.append(batch(3))
    second.adopt(second.orphans())
    assert drained(second) == [batch(1), batch(3)]
    assert adopting(tmp_path).oldest(9) == []


def test_what_was_done_before_death_is_done_again(tmp_path) -> None:
    first = journal(tmp_path)
    for number in range(4):
        first.append(batch(number))
    first.oldest(2)
    first.advance(2)
    first.close()
    assert drained(adopting(tmp_path)) == [batch(number) for number in range(4)]


@pytest.mark.parametrize("cut", range(1, 78, 7))
def test_a_torn_tail_is_no_record(tmp_path, cut) -> None:
    first = journal(tmp_path)
    for number in range(3):
        first.append(batch(number))
    first.close()
    (file,) = files(tmp_path)
    os.truncate(file, file.stat().st_size - cut)
    assert drained(adopting(tmp_path)) == [batch(0), batch(1)]
    assert files(tmp_path) == []


@pytest.mark.parametrize("octets", [b"", b"\0", b"\xff" * 40, b"{}" * 500])
def test_what_is_no_journal_is_removed(tmp_path, octets) -> None:
    (tmp_path / "journal").mkdir()
    (tmp_path / "journal" / "1.journal").write_bytes(octets)
    assert drained(adopting(tmp_path)) == []
    assert files(tmp_path) == []


def test_damage_ends_a_segment_and_is_counted(tmp_path) -> None:
    made = journal(tmp_path)
    for number in range(3):
        made.append(batch(number))
    (file,) = files(tmp_path)
    octets = bytearray(file.read_bytes())
    octets[len(octets) // 2] ^= 1
    file.write_bytes(octets)
    assert drained(made) == [batch(0)]
    assert made.dropped == 2
    assert len(made) == 0


def test_no_folder_can_be_made(tmp_path) -> None:
    (tmp_path / "journal").write_text("a file")
    made = adopting(tmp_path)
    assert not made.append(batch(1))
    assert made.oldest(1) == []
