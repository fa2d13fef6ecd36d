"""Input made to be slow: every stage stays within its bounds.

The deadlines are generous: what they catch is quadratic behaviour, which takes minutes.
"""

import time
from collections.abc import Callable

import pytest

from milter.authentication.results import parse_results
from milter.mail.message import scan_header
from milter.mail.reading import Defect, Facts
from milter.read.addresses import parse_mailboxes
from milter.read.decode import decode_transfer
from milter.read.encoded_words import decode_value
from milter.read.html import read_html
from milter.read.html_fallback import strip_tags
from milter.read.html_insertion import insertion_offset
from milter.read.message_reader import read_message
from milter.read.mime import scan_message
from milter.read.parameters import parse_parameters
from milter.read.text import split_text
from milter.read.visibility import hiding, hiding_selectors

DEADLINE_SECONDS = 10.0
MIXED = b"Content-Type: multipart/mixed; boundary="


def nested(depth: int, tail: bytes = b"") -> bytes:
    levels = (MIXED + b"b%d\r\n\r\n--b%d\r\n" % (at, at) for at in range(depth))
    return b"".join(levels) + b"\r\nhello\r\n" + tail


HOSTILE_MESSAGES: dict[str, tuple[Callable[[], bytes], set[Defect]]] = {
    "10,000 parts": (
        lambda: MIXED + b"b\r\n\r\n" + b"--b\r\n\r\nx\r\n" * 10_000 + b"--b--\r\n",
        {Defect.TOO_MANY_PARTS},
    ),
    "200 levels": (lambda: nested(200), {Defect.TOO_DEEP}),
    "200 levels over 9 MB": (lambda: nested(200, b"x" * 9_000_000), {Defect.TOO_DEEP}),
    "99 levels over 12 MB of delimiters": (lambda: nested(99, b"--b\n" * 3_000_000), set()),
    "9.6 MB of false delimiters": (
        lambda: MIXED + b"b\r\n\r\n" + b"--bx\r\n" * 1_600_000,
        {Defect.MISSING_BOUNDARY},
    ),
    "delimiters only": (
        lambda: MIXED + b"b\r\n\r\n" + b"--b\r\n" * 500_000,
        {Defect.TOO_MANY_PARTS},
    ),
    "nested messages": (
        lambda: b"Content-Type: message/rfc822\r\n\r\n" * 50_000,
        {Defect.TOO_DEEP},
    ),
    "10 MB header line": (lambda: b"Subject: " + b"x" * 10_000_000 + b"\r\n\r\nhi", set()),
    "10 MB of fields": (
        lambda: b"A: b\r\n" * 1_600_000 + b"\r\nhi",
        {Defect.TOO_MANY_FIELDS},
    ),
    "10 MB without a colon": (
        lambda: b"a" * 10_000_000 + b"\r\n\r\nhi",
        {Defect.JUNK_LINE_IN_HEADER},
    ),
    "junk lines": (lambda: b"junk\r\n" * 1_000_000, {Defect.HEADER_TOO_LARGE}),
    "megabyte lines": (lambda: b"A: b\r\n\r\n" + (b"y" * 1_000_000 + b"\r\n") * 10, set()),
    "line ends only": (lambda: b"\r\n" * 5_000_000, set()),
    "NUL octets": (lambda: b"A: b\r\n\r\n" + b"\0" * 1_000_000, {Defect.NUL_OCTET}),
    "5,000 recipients": (
        lambda: b"To: " + b",\r\n ".join(b"P%d <p%d@example.org>" % (n, n) for n in range(5_000))
        + b"\r\n\r\nhi",
        set(),
    ),
    "quoted-printable of escapes": (
        lambda: b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + b"=" * 3_000_000,
        {Defect.BAD_TRANSFER_ENCODING},
    ),
    "base64 in pieces": (
        lambda: b"Content-Transfer-Encoding: base64\r\n\r\n" + b"QQ==" * 500_000,
        {Defect.BAD_TRANSFER_ENCODING},
    ),
    "long header of parameters": (
        lambda: MIXED + b'"' + b'\\"' * 400_000 + b"\r\n\r\nhi",
        set(),
    ),
    "a trace of 2,000 results": (
        lambda: b"Authentication-Results: mx.example.org; dkim=pass (\r\n" * 2_000 + b"\r\nhi",
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_MESSAGES)
def test_a_hostile_message_is_read_in_bounded_time(name: str) -> None:
    make, expected = HOSTILE_MESSAGES[name]
    raw = make()
    facts = Facts(
        role="after_queue", own_authserv_id="gate.test", trusted_authserv_ids=("mx.example.org",)
    )
    started = time.perf_counter()
    result = read_message(raw, facts)
    assert time.perf_counter() - started < DEADLINE_SECONDS
    assert expected <= set(result.defects)
    assert len(result.parts) <= 2_000
    assert sum(len(segment.text) for segment in result.segments) <= 1_000_000


HOSTILE_HTML: dict[str, str] = {
    "nested 100,000 deep": "<div>" * 100_000,
    "nested with stray closers": "<div></z>" * 50_000,
    "100,000 attributes": "<x " + " ".join(f"a{n}" for n in range(100_000)) + ">",
    "attributes over quoted >": "<x " + " ".join(f'a{n}=">"' for n in range(50_000)) + ">",
    "attributes that begin with =": "<x " + " ".join(f"=a{n}" for n in range(50_000)) + ">",
    "formatting before paragraphs": "<p>" + "".join(f"<b id={n}>" for n in range(900)) + "</p>"
    + "<p>x</p>" * 900,
    "a small one of the same kind": "<p>" + "".join(f"<i id={n}>" for n in range(450)) + "</p>"
    + "<p>x" * 900,
    "less-than signs": "<" * 2_000_000,
    "comments that never end": "<!--" * 400_000,
    "scripts that never end": "<script>" * 200_000,
    "quotes that never end": "<a href=\"" * 200_000,
    "25 MB of text": "x" * 25_000_000,
    "300 kB of flat paragraphs": "<p>word <b>bold</b></p>" * 13_000,
    "names without end": "".join(f"<x{n}>" for n in range(900)),
    "hidden paragraphs": '<p style="display:none">x</p>' * 400,
    "style without end": "<style>" + "a{" * 80_000,
    "style of at-signs": "<style>" + "@" * 150_000,
    "style comments": "<style>" + "/*" * 80_000,
    "long styles": "".join(f"<p style='{n}{'font:' * 1_500}'>x" for n in range(60)),
    "entities": "&lt;" * 300_000,
    "marks": "&#xfdd1;&#xfdd0;" * 30_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE_HTML)
def test_hostile_html_is_read_in_bounded_time(name: str) -> None:
    html = HOSTILE_HTML[name]
    started = time.perf_counter()
    read = read_html(html)
    text, _ = strip_tags(html)
    insertion_offset(html.encode())
    assert time.perf_counter() - started < DEADLINE_SECONDS
    assert len(read.text) <= len(html)
    assert len(text) <= len(html)


@pytest.mark.parametrize(
    "text",
    ["\n" * 200_000, ":\n" * 60_000, "-\n" * 60_000, "From:\n" * 30_000, "> \n" * 60_000,
     "On 1:00 x wrote:" * 12_000, "_" * 200_000, "-- \n" * 50_000, "regards\n" * 25_000,
     "-----" * 40_000, ("x" * 5_000 + ":\n") * 40, "From: a\nTo: b\n" * 10_000],
)  # fmt: skip
def test_hostile_text_is_split_in_bounded_time(text: str) -> None:
    started = time.perf_counter()
    runs = split_text(text)
    assert time.perf_counter() - started < DEADLINE_SECONDS
    assert runs[-1][2] == len(text)


@pytest.mark.parametrize(
    "value",
    [b"(" * 200_000, b'"' * 200_000, b"<" * 200_000, b"(\\(" * 60_000, b"@" + b":" * 200_000,
     b"a@" * 100_000, b"@a," * 60_000, b'"\\' * 60_000, b";a" * 100_000, b"=?" * 100_000,
     b"=?utf-8?q?a?= " * 10_000, b"a=" * 100_000, b'a;b="' * 50_000],
)  # fmt: skip
def test_hostile_field_values_are_parsed_in_bounded_time(value: bytes) -> None:
    started = time.perf_counter()
    assert len(parse_mailboxes(value, 500)) <= 500
    assert len(decode_value(value)) <= len(value)
    parse_parameters(value)
    parse_results(value[:8_000].decode("latin-1"))
    scan_header(value)
    decode_transfer(value, "x-uuencode")
    assert time.perf_counter() - started < DEADLINE_SECONDS


@pytest.mark.parametrize(
    "style", ["font:" * 400, "position:absolute;" * 100, "/*" * 1_000, "(" * 2_000]
)
def test_hostile_styles_are_judged_in_bounded_time(style: str) -> None:
    started = time.perf_counter()
    assert hiding(style) == ""
    assert hiding_selectors(style * 50) == ()
    assert time.perf_counter() - started < DEADLINE_SECONDS


def test_a_message_of_25_megabytes_is_scanned_once() -> None:
    line = b"JVBERi0xLjQKJeLjz9MKJVBERi0xLjQKJeLjz9MKJVBERi0xLjQKJeLjz9MKJVBERi0xLjQK\r\n"
    attachment = b"Content-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    raw = (
        MIXED + b"b\r\n\r\n--b\r\n\r\nhello\r\n--b\r\n" + attachment + line * 330_000 + b"--b--\r\n"
    )
    tree = scan_message(raw)
    assert [node.part.media_type for node in tree.nodes][1:] == ["text/plain", "application/pdf"]
    assert not tree.defects
