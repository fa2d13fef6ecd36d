"""Compound files: found by the tables, and bounded where these lie."""

import struct
import time
from contextlib import suppress

import pytest

from milter.mail.finding import Source
from milter.read.carried.budget import Budget
from milter.read.carried.carrier import Carrier
from milter.read.carried.compound import MAX_ENTRIES, Folder, open_compound
from tests.support.carriers import read_file
from tests.support.old_office import FREE, compound, word_streams

LARGE, SMALL = bytes(range(256)) * 20, b"small"


def opened(octets: bytes) -> tuple[Folder, Carrier]:
    carrier = Carrier(
        part="2", source=Source.ATTACHMENT, budget=Budget.of_message(), open_inner=lambda *_: None
    )
    return open_compound(octets, carrier), carrier


def with_number(octets: bytes, at: int, number: int) -> bytes:
    return octets[:at] + struct.pack("<I", number) + octets[at + 4 :]


def table_at(octets: bytes) -> int:
    """Where the first sector of the table of sectors stands."""
    (number,) = struct.unpack_from("<I", octets, 76)
    return (number + 1) * 512


def row_of(octets: bytes, name: str) -> int:
    return octets.index((name + "\0").encode("utf-16-le").ljust(64, b"\0"))


@pytest.mark.parametrize("shift", [9, 12])
def test_streams_and_folders(shift: int) -> None:
    tree = {"a": LARGE, "b": SMALL, "c": {"d": SMALL * 3, "e": {"f": LARGE * 30}}, "z": b""}
    root, carrier = opened(compound(tree, shift=shift))
    assert [root.stream(name) for name in ("a", "b", "z", "none")] == [LARGE, SMALL, b"", b""]
    assert root.folders["c"].stream("D") == SMALL * 3
    assert root.folders["c"].folders["e"].stream("f") == LARGE * 30
    assert carrier.complete


def test_names_are_found_in_whatever_case() -> None:
    assert opened(compound({"WORDDocument": SMALL}))[0].stream("wordDOCUMENT") == SMALL


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        compound({})[:300],
        compound({})[:512],
        compound({})[:30] + b"\x3f\0" + compound({})[32:],
        compound({})[:30] + b"\0\0" + compound({})[32:],
    ],
)
def test_what_is_no_compound_file(octets: bytes) -> None:
    with pytest.raises(ValueError):
        opened(octets)
    assert not read_file(octets.ljust(8), "a.doc").complete


def test_a_circle_of_sectors_ends() -> None:
    octets = compound({"a": LARGE, "b": SMALL})
    start = table_at(octets)
    for number in range(0, 60, 4):
        circle = with_number(octets, start + number, number // 4)
        try:
            root, _ = opened(circle)
        except ValueError:
            continue
        assert len(root.stream("a")) <= len(LARGE)


def test_a_stream_that_is_cut_off_is_read_as_far_as_it_goes() -> None:
    octets = compound({"a": LARGE})
    root, carrier = opened(with_number(octets, table_at(octets) + 4, FREE))
    assert root.stream("a") == LARGE[:1_024]
    assert not carrier.complete


def test_a_stream_that_says_it_is_longer_than_the_file() -> None:
    octets = compound({"a": LARGE})
    root, carrier = opened(with_number(octets, row_of(octets, "a") + 120, 0xFFFFFFF0))
    assert root.stream("a").startswith(LARGE)
    assert not carrier.complete


def test_a_circle_in_the_directory_ends() -> None:
    octets = compound({"a": SMALL, "b": {"c": SMALL}})
    for place in (68, 72, 76):
        for number in range(5):
            root, _ = opened(with_number(octets, row_of(octets, "b") + place, number))
            assert root.stream("a") == SMALL
    circle = with_number(octets, table_at(octets) + 4 * struct.unpack_from("<I", octets, 48)[0], 1)
    opened(circle)


def test_folders_too_deep_and_rows_too_many_are_misses() -> None:
    tree: dict[str, object] = {"a": SMALL}
    for _ in range(40):
        tree = {"f": tree}
    assert not opened(compound(tree))[1].complete
    root, carrier = opened(compound({f"s{number}": b"" for number in range(MAX_ENTRIES + 99)}))
    assert len(root.streams) < MAX_ENTRIES + 10
    assert not carrier.complete


def test_lists_of_tables_that_lie_end_soon() -> None:
    octets = bytearray(compound({"a": LARGE * 200}))
    # The same sector everywhere, and more lists than there can be, each leading to itself.
    for number in range(109):
        struct.pack_into("<I", octets, 76 + 4 * number, 0)
    struct.pack_into("<2I", octets, 68, 1, 0xFFFFFFFF)
    started = time.monotonic()
    with suppress(ValueError):
        opened(bytes(octets))
    assert time.monotonic() - started < 10


def test_reading_is_paid_for() -> None:
    root, carrier = opened(compound({"a": LARGE}))
    before = carrier.budget.octets
    root.stream("a")
    assert carrier.budget.octets == before - len(LARGE)
    carrier.budget.octets = 1_000
    assert len(root.stream("a")) == 1_000
    assert not carrier.complete


def test_a_large_file_is_read_in_time() -> None:
    started = time.monotonic()
    streams = word_streams("word " * 10_000, picture=b"\xff\xd8\xff" * 3_000_000)
    read_file(compound(streams, shift=12))
    assert time.monotonic() - started < 10
