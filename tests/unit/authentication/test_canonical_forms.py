"""Canonical forms: as RFC 6376 says, in linear time, made once."""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from milter.authentication import canonical
from milter.authentication.canonical import CanonicalForms, canonical_body, canonical_field
from milter.mail.message import scan_header
from tests.support.signing import MESSAGE, body_of, field_of

PIECES = st.lists(
    st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"  ", b" \t ", b" " * 37, b"b c", b"\xc3\xa9"]),
    max_size=30,
).map(b"".join)


def relaxed_body(body: bytes) -> bytes:
    return b"".join(canonical_body(body, "relaxed"))


def simple_body(body: bytes) -> bytes:
    return b"".join(canonical_body(body, "simple"))


@pytest.mark.parametrize("octets", [0, 1, 5, 262_144])
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=PIECES)
def test_bodies_are_what_the_standard_says_line_by_line_however_they_are_cut(
    body: bytes, octets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(canonical, "_PIECE_OCTETS", octets)
    assert relaxed_body(body) == body_of(body, "relaxed")
    assert simple_body(body) == body_of(body, "simple")


@settings(deadline=None)
@given(PIECES)
def test_fields_are_what_the_standard_says(value: bytes) -> None:
    value = value.replace(b"\r\n", b"\r\n ").rstrip(b"\r\n") + b"\r\n"
    for mode in ("simple", "relaxed"):
        assert canonical_field(b"Subject \t:", value, mode) == field_of(
            b"Subject \t:" + value, mode
        )


@pytest.mark.parametrize(
    ("body", "simple", "relaxed"),
    [
        # The example of RFC 6376 §3.4.5.
        (b" C \r\nD \t E\r\n\r\n\r\n", b" C \r\nD \t E\r\n", b" C\r\nD E\r\n"),
        (b"", b"\r\n", b""),
        (b"\r\n\r\n", b"\r\n", b""),
        (b" \r\n\t\r\n", b" \r\n\t\r\n", b""),
        (b"no line end", b"no line end\r\n", b"no line end\r\n"),
        (b"a\r\r\n", b"a\r\r\n", b"a\r\r\n"),
        (b"\r\r\n\r\n", b"\r\r\n", b"\r\r\n"),
    ],
)
def test_bodies_by_hand(body: bytes, simple: bytes, relaxed: bytes) -> None:
    assert simple_body(body) == simple
    assert relaxed_body(body) == relaxed


def test_a_field_of_form_feeds_and_bare_returns_is_not_white_space() -> None:
    assert canonical_field(b"A:", b" x\x0b\x0c y\r z\r\n", "relaxed") == b"a:x\x0b\x0c y\r z\r\n"


@pytest.mark.parametrize("piece", [b" ", b"\t", b"  x", b" \r\n", b"\r\n", b"\r", b"\n", b" \t"])
def test_eight_megabytes_of_anything_take_linear_time(piece: bytes) -> None:
    """Quadratic work on these would take hours; the test's own time limit is the measure."""
    body = piece * (8_000_000 // len(piece))
    assert len(relaxed_body(body)) <= len(body) + 2
    assert len(simple_body(body)) <= len(body) + 2
    assert canonical_field(b"A:", body.replace(b"\r\n", b" "), "relaxed").startswith(b"a:")


def test_files_with_bare_line_feeds_have_the_same_forms() -> None:
    wire = CanonicalForms(MESSAGE, scan_header(MESSAGE))
    text = MESSAGE.replace(b"\r\n", b"\n")
    file = CanonicalForms(text, scan_header(text))
    for mode in ("simple", "relaxed"):
        assert file.body_digest(mode) == wire.body_digest(mode)
        assert [file.field(number, mode) for number in range(7)] == [
            wire.field(number, mode) for number in range(7)
        ]


def test_a_header_without_an_end_has_no_body() -> None:
    raw = b"From: a@b.example\r\nSubject: x\r\n"
    assert CanonicalForms(raw, scan_header(raw)).body_length("relaxed") == 0


def test_a_body_is_hashed_once_however_many_signatures_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(body: bytes, mode: canonical.Mode, *, is_clean: bool) -> Iterator[bytes]:
        calls.append(len(body))
        return canonical_body(body, mode, is_clean=is_clean)

    monkeypatch.setattr(canonical, "canonical_body", counted)
    forms = CanonicalForms(MESSAGE, scan_header(MESSAGE))
    assert len({forms.body_digest("relaxed") for _ in range(8)}) == 1
    assert forms.body_length("relaxed") > 0
    assert len(calls) == 1


def test_a_large_body_comes_in_pieces() -> None:
    body = b"a line of text\r\n" * 100_000
    pieces = list(canonical_body(body, "relaxed"))
    assert len(pieces) > 5
    assert b"".join(pieces) == body
