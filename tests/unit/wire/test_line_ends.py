"""What one sweep over the octets says must be what looking at each octet says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from milter.wire import line_ends
from milter.wire.line_ends import dot_stuff, scan_lines, without_octets

BLOCKS = st.lists(
    st.sampled_from([b"\r\n", b".", b"a", b"bc", b"\r\n.", b"\r\n..", b"\0"]), max_size=30
).map(b"".join)
ANY = st.lists(st.sampled_from([b"\r", b"\n", b".", b"a", b"\r\n"]), max_size=30).map(b"".join)


@given(ANY)
def test_bare_line_ends_and_dots_are_seen(block: bytes) -> None:
    scan = scan_lines(block)
    assert scan.has_bare_cr == (block.count(b"\r") > block.count(b"\r\n"))
    assert scan.has_bare_lf == (block.count(b"\n") > block.count(b"\r\n"))


@given(BLOCKS)
def test_lengths_are_those_of_the_lines_without_octets(block: bytes) -> None:
    scan = scan_lines(block)
    lines = block.replace(b"\r\n.", b"\r\n").split(b"\r\n")
    assert scan.first == (len(lines[0]) if len(lines) > 1 else None)
    assert scan.longest == max(map(len, lines[1:-1]), default=0)
    assert scan.last == len(lines[-1])


@given(ANY)
def test_stuffing_is_what_replacing_would_do(raw: bytes) -> None:
    assert without_octets(raw, scan_lines(raw).dots) == raw.replace(b"\r\n.", b"\r\n")
    stuffed = raw.replace(b"\r\n.", b"\r\n..")
    assert dot_stuff(raw) == (b"." + stuffed if stuffed.startswith(b".") else stuffed)


def test_a_dot_is_found_wherever_the_octets_are_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = b"ab\r\n.c\r\n..d\r\n.\r\n.e" * 7
    for size in range(1, 12):
        monkeypatch.setattr(line_ends, "_PIECE_BYTES", size)
        assert dot_stuff(raw) == raw.replace(b"\r\n.", b"\r\n..")
