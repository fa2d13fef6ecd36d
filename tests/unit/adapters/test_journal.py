"""The journal's contract: what is remembered, by whom, for how long, and what a crash costs."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from milter.adapters.journal import KEEP, FileJournal
from milter.mail.address import NULL_PATH
from milter.mail.envelope import Envelope, Recipient
from milter.ports import CannotKeep
from tests.support.next_hop import SENDER, FixedClock, recipient

A, B, C = map(recipient, ("a", "b", "c"))
KEY = "0f" * 32


def envelope(*recipients: Recipient) -> Envelope:
    return Envelope(reverse_path=SENDER, recipients=recipients)


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def journal(tmp_path: Path, clock: FixedClock) -> FileJournal:
    return opened(tmp_path, clock)


def opened(folder: Path, clock: FixedClock, max_entries: int = 100) -> FileJournal:
    return FileJournal(folder, key=b"secret", clock=clock, max_entries=max_entries)


def file_of(folder: Path) -> Path:
    return folder / "delivered.journal"


async def test_an_empty_journal_knows_nobody(journal: FileJournal) -> None:
    assert journal.is_empty
    assert not journal.was_delivered(envelope(A), A, KEY)
    await journal.forget(envelope(A), KEY)
    await journal.remember(envelope(A), (), KEY)
    assert journal.is_empty


async def test_it_remembers_recipient_by_recipient(journal: FileJournal) -> None:
    await journal.remember(envelope(A, B, C), (A, B), KEY)

    assert not journal.is_empty
    assert [journal.was_delivered(envelope(A, B, C), one, KEY) for one in (A, B, C)] == [
        True,
        True,
        False,
    ]
    # The peer may divide the retry as it likes.
    assert journal.was_delivered(envelope(A), A, KEY)


async def test_another_mail_or_sender_or_recipient_is_something_else(journal: FileJournal) -> None:
    await journal.remember(envelope(A), (A,), KEY)

    assert not journal.was_delivered(envelope(A), A, "1f" * 32)
    assert not journal.was_delivered(Envelope(reverse_path=NULL_PATH, recipients=(A,)), A, KEY)
    assert not journal.was_delivered(envelope(B), B, KEY)


async def test_it_forgets_the_recipients_of_the_retry_only(journal: FileJournal) -> None:
    await journal.remember(envelope(A, B), (A, B), KEY)
    await journal.forget(envelope(A, C), KEY)

    assert not journal.was_delivered(envelope(A), A, KEY)
    assert journal.was_delivered(envelope(B), B, KEY)
    await journal.forget(envelope(B), KEY)
    assert journal.is_empty


async def test_entries_expire(journal: FileJournal, clock: FixedClock) -> None:
    await journal.remember(envelope(A), (A,), KEY)
    clock.seconds += KEEP.total_seconds() - 2
    assert journal.was_delivered(envelope(A), A, KEY)

    clock.seconds += 3
    assert not journal.was_delivered(envelope(A), A, KEY)
    assert journal.is_empty


async def test_it_survives_a_restart(
    tmp_path: Path, journal: FileJournal, clock: FixedClock
) -> None:
    await journal.remember(envelope(A, B), (A, B), KEY)
    await journal.forget(envelope(B), KEY)
    journal.close()

    again = opened(tmp_path, clock)
    assert again.was_delivered(envelope(A), A, KEY)
    assert not again.was_delivered(envelope(B), B, KEY)


async def test_no_address_is_written(tmp_path: Path, journal: FileJournal) -> None:
    await journal.remember(envelope(A), (A,), KEY)

    written = file_of(tmp_path).read_bytes()
    assert b"@" not in written
    assert KEY.encode() not in written
    assert file_of(tmp_path).stat().st_mode & 0o077 == 0
    other = FileJournal(tmp_path, key=b"another secret", clock=FixedClock())
    assert not other.was_delivered(envelope(A), A, KEY)


async def test_a_sibling_sees_at_once_what_another_front_wrote(
    tmp_path: Path, journal: FileJournal, clock: FixedClock
) -> None:
    sibling = opened(tmp_path, clock)
    assert sibling.is_empty
    await journal.remember(envelope(A), (A,), KEY)
    assert sibling.was_delivered(envelope(A), A, KEY)

    await sibling.forget(envelope(A), KEY)
    assert journal.is_empty


async def test_a_torn_line_costs_its_own_entry_at_most(tmp_path: Path, clock: FixedClock) -> None:
    """Cut the file after each octet, as a crash would; then go on writing."""
    await opened(tmp_path, clock).remember(envelope(A, B), (A, B), KEY)
    whole = file_of(tmp_path).read_bytes()
    line = whole.index(b"\n") + 1
    for size in range(len(whole) + 1):
        file_of(tmp_path).write_bytes(whole[:size])
        survivor = opened(tmp_path, clock)
        # A line is known once it is whole, with its end.
        assert survivor.was_delivered(envelope(A), A, KEY) == (size >= line)
        assert survivor.was_delivered(envelope(B), B, KEY) == (size == len(whole))

        await survivor.remember(envelope(C), (C,), KEY)
        for reader in (survivor, opened(tmp_path, clock)):
            assert reader.was_delivered(envelope(C), C, KEY)
            assert reader.was_delivered(envelope(A), A, KEY) == (size >= line - 1)
            reader.close()


@pytest.mark.parametrize(
    "junk", [b"\0" * 200, b"+ zz\n", b"\n\n\n", b"+ " + b"0" * 40 + b" 1\n", b"\xff" * 50 + b"\n"]
)
async def test_junk_is_passed_over(tmp_path: Path, clock: FixedClock, junk: bytes) -> None:
    await opened(tmp_path, clock).remember(envelope(A), (A,), KEY)
    with file_of(tmp_path).open("ab") as file:
        file.write(junk)
    journal = opened(tmp_path, clock)
    await journal.remember(envelope(B), (B,), KEY)

    assert journal.was_delivered(envelope(A), A, KEY)
    assert journal.was_delivered(envelope(B), B, KEY)


async def test_half_an_append_by_a_sibling_is_read_when_it_is_whole(
    tmp_path: Path, journal: FileJournal, clock: FixedClock
) -> None:
    await journal.remember(envelope(A), (A,), KEY)
    whole = file_of(tmp_path).read_bytes()
    file_of(tmp_path).write_bytes(whole[:20])
    reader = opened(tmp_path, clock)
    assert reader.is_empty
    with file_of(tmp_path).open("ab") as file:
        file.write(whole[20:])

    assert reader.was_delivered(envelope(A), A, KEY)


async def test_it_is_bounded_and_keeps_the_newest(tmp_path: Path, clock: FixedClock) -> None:
    journal, sibling = opened(tmp_path, clock, 10), opened(tmp_path, clock, 10)
    everybody = [recipient(f"r{number}") for number in range(60)]
    for one in everybody:
        await journal.remember(envelope(one), (one,), KEY)
        assert sibling.was_delivered(envelope(one), one, KEY)

    assert file_of(tmp_path).stat().st_size <= 25 * 56
    for reader in (journal, sibling, opened(tmp_path, clock, 10)):
        assert [one for one in everybody if reader.was_delivered(envelope(one), one, KEY)] == (
            everybody[-10:]
        )


async def test_compaction_drops_what_expired_and_what_was_forgotten(
    tmp_path: Path, clock: FixedClock
) -> None:
    journal = opened(tmp_path, clock, 5)
    await journal.remember(envelope(A), (A,), KEY)
    clock.seconds += KEEP.total_seconds() + 1
    await journal.remember(envelope(B), (B,), KEY)
    for _ in range(12):
        await journal.remember(envelope(C), (C,), KEY)
        await journal.forget(envelope(C), KEY)

    again = opened(tmp_path, clock, 5)
    assert [again.was_delivered(envelope(one), one, KEY) for one in (A, B, C)] == [
        False,
        True,
        False,
    ]
    assert file_of(tmp_path).stat().st_size <= 12 * 56


async def test_a_crash_in_the_middle_of_a_compaction_costs_nothing(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = opened(tmp_path, clock, 2)
    for one in (A, B, C, A, B):
        await journal.remember(envelope(one), (one,), KEY)
    monkeypatch.setattr(Path, "rename", failing)
    with pytest.raises(CannotKeep):
        await journal.remember(envelope(C), (C,), KEY)
    monkeypatch.undo()

    again = opened(tmp_path, clock, 2)
    assert again.was_delivered(envelope(C), C, KEY)
    await again.remember(envelope(A), (A,), KEY)
    assert again.was_delivered(envelope(A), A, KEY)


def failing(*_: object) -> None:
    raise OSError("disk full")


@pytest.mark.parametrize("call", ["write", "fsync", "open"])
async def test_what_cannot_be_written_is_said(
    tmp_path: Path, clock: FixedClock, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    journal = opened(tmp_path, clock)
    await journal.remember(envelope(A), (A,), KEY)
    assert journal.was_delivered(envelope(A), A, KEY)
    monkeypatch.setattr(os, call, failing)
    with pytest.raises(CannotKeep):
        await journal.remember(envelope(B), (B,), KEY)
    with pytest.raises(CannotKeep):
        await journal.forget(envelope(A), KEY)
    monkeypatch.undo()

    assert journal.was_delivered(envelope(A), A, KEY) == (call != "fsync")


async def test_a_file_that_was_emptied_by_hand_is_empty(
    tmp_path: Path, journal: FileJournal
) -> None:
    await journal.remember(envelope(A), (A,), KEY)
    assert not journal.is_empty
    file_of(tmp_path).write_bytes(b"")
    assert journal.is_empty
    await journal.remember(envelope(B), (B,), KEY)

    assert journal.was_delivered(envelope(B), B, KEY)


WRITER = """
import asyncio, sys
from pathlib import Path
from milter.adapters.journal import FileJournal
from tests.support.next_hop import SENDER, FixedClock, recipient
from milter.mail.envelope import Envelope

async def main(folder, name):
    journal = FileJournal(Path(folder), key=b"secret", clock=FixedClock(), max_entries=101)
    for number in range(100):
        one = recipient(f"{name}{number}")
        envelope = Envelope(reverse_path=SENDER, recipients=(one,))
        await journal.remember(envelope, (one,), "0f" * 32)
        if number < 50:
            await journal.forget(envelope, "0f" * 32)

asyncio.run(main(*sys.argv[1:]))
"""


async def test_two_processes_lose_nothing_of_each_other(tmp_path: Path, clock: FixedClock) -> None:
    """Each writes 150 records, so that both compact the file while the other writes."""
    writers = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(tmp_path), name, stderr=subprocess.PIPE
        )
        for name in ("x", "y")
    ]
    ends = [await writer.communicate() for writer in writers]
    assert [error for _, error in ends] == [b"", b""]

    journal = opened(tmp_path, clock, 101)
    for name in ("x", "y"):
        known = [
            journal.was_delivered(envelope(one), one, KEY)
            for one in (recipient(f"{name}{number}") for number in range(100))
        ]
        assert known == [False] * 50 + [True] * 50
    # Well-formed to the last octet, and compacted on the way.
    size = file_of(tmp_path).stat().st_size
    assert size % 56 == 0
    assert size < 300 * 56
