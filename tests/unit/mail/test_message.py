"""The header scanner: fields as spans, junk kept and reported, bounds kept."""

import pytest

from milter.mail.marker import banner_token, is_own_banner
from milter.mail.message import field_value, scan_header, unfold
from milter.mail.reading import Defect


def fields(raw: bytes) -> list[tuple[bytes, bytes]]:
    return [(field.name, field_value(raw, field)) for field in scan_header(raw).fields]


@pytest.mark.parametrize(
    ("raw", "expected", "body"),
    [
        (b"A: 1\r\nB: 2\r\n\r\nbody", [(b"a", b"1"), (b"b", b"2")], b"body"),
        (b"A: 1\nB: 2\n\nbody", [(b"a", b"1"), (b"b", b"2")], b"body"),
        (b"A: 1\r\nB: 2\n\r\nbody", [(b"a", b"1"), (b"b", b"2")], b"body"),
        (b"A:1\r\n\r\n", [(b"a", b"1")], b""),
        (b"A : 1\r\n\r\n", [(b"a", b"1")], b""),
        (b"A: 1\r\n 2\r\n\t3\r\nB:\r\n\r\n", [(b"a", b"1 2\t3"), (b"b", b"")], b""),
        (b"A: \xc3\xa9\r\n\r\n", [(b"a", b"\xc3\xa9")], b""),
        (b"A: b: c\r\n\r\n", [(b"a", b"b: c")], b""),
        (b"From sender Mon Jan  1 00:00:00 2024\nA: 1\n\nbody", [(b"a", b"1")], b"body"),
        (b">From sender\nA: 1\n\nbody", [(b"a", b"1")], b"body"),
        (b"A: 1\r\n \r\nB: 2\r\n\r\n", [(b"a", b"1"), (b"b", b"2")], b""),
        (b"\r\nbody", [], b"body"),
        (b"\nbody", [], b"body"),
        (b"", [], b""),
        (b"A: 1", [(b"a", b"1")], b""),
    ],
)
def test_fields_and_body(raw: bytes, expected: list[tuple[bytes, bytes]], body: bytes) -> None:
    header = scan_header(raw)
    assert fields(raw) == expected
    assert raw[header.body_start :] == body
    assert not header.defects


@pytest.mark.parametrize(
    ("raw", "junk_at"),
    [
        (b"junk\r\nA: 1\r\n\r\nbody", 0),
        (b"A: 1\r\njunk line\r\nB: 2\r\n\r\nbody", 6),
        (b"A: 1\r\n: no name\r\nB: 2\r\n\r\nbody", 6),
        (b"A: 1\r\nna me: x\r\nB: 2\r\n\r\nbody", 6),
        (b" leading space\r\nA: 1\r\n\r\nbody", 0),
        (b"A: 1\r\n\xe9: x\r\n\r\nbody", 6),
    ],
)
def test_junk_lines_are_kept_and_reported(raw: bytes, junk_at: int) -> None:
    header = scan_header(raw)
    assert header.defects == (Defect.JUNK_LINE_IN_HEADER,)
    assert header.first_junk == junk_at
    assert raw[header.body_start :] == b"body"
    assert (b"a", b"1") in fields(raw)


def test_a_field_is_its_whole_lines() -> None:
    raw = b"A: 1\r\n 2\r\nX-Lurewall-Verdict: clean\r\nB: 3\r\n\r\nbody"
    header = scan_header(raw)
    field = header.first(b"x-lurewall-verdict")
    assert field is not None
    assert raw[field.start : field.end] == b"X-Lurewall-Verdict: clean\r\n"
    assert raw[: field.start] + raw[field.end :] == b"A: 1\r\n 2\r\nB: 3\r\n\r\nbody"
    assert raw[header.header_end : header.body_start] == b"\r\n"
    assert [field.name for field in header.named(b"b")] == [b"b"]
    assert header.first(b"c") is None


def test_a_header_without_an_end_says_so() -> None:
    header = scan_header(b"A: 1\r\nB: 2\r\n")
    assert not header.terminated
    assert header.header_end == header.body_start == 12
    assert scan_header(b"A: 1\r\n\r\n").terminated


def test_a_part_of_the_octets_can_be_scanned() -> None:
    raw = b"xx\r\nA: 1\r\n\r\nbody\r\n\r\nmore"
    header = scan_header(raw, start=4, stop=12)
    assert [field.name for field in header.fields] == [b"a"]
    assert (header.start, header.header_end, header.body_start) == (4, 10, 12)


def test_beyond_the_bounds_the_end_is_still_found() -> None:
    raw = b"A: 1\r\n" * 50 + b"\r\nbody"
    header = scan_header(raw, max_fields=10)
    assert len(header.fields) == 10
    assert header.defects == (Defect.TOO_MANY_FIELDS,)
    assert raw[header.body_start :] == b"body"
    header = scan_header(raw, max_bytes=60)
    assert len(header.fields) == 10
    assert header.defects == (Defect.HEADER_TOO_LARGE,)
    assert raw[header.body_start :] == b"body"
    assert not scan_header(raw, max_fields=50).defects
    assert scan_header(b"A: 1\r\n" * 50, max_fields=10).body_start == 300


def test_unfolding_removes_line_ends_only() -> None:
    assert unfold(b" a\r\n  b\n\tc \r\n") == b"a  b\tc"


def test_the_banner_token_depends_on_key_and_words_but_not_on_layout() -> None:
    token = banner_token(b"key", "These are the words")
    assert len(token) == 12
    assert int(token, 16) >= 0
    assert is_own_banner(b"key", token, "> These are\n> the  words\n")
    assert not is_own_banner(b"other key", token, "These are the words")
    assert not is_own_banner(b"key", token, "These are other words")
