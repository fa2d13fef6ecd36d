"""Mail in mail, Outlook's wrapping, Rich Text, and text under a wrong type."""

import base64
import struct

import pytest

from milter.mail.finding import Source
from milter.mail.reading import Facts
from milter.read.carried.compressed_rtf import decompressed
from milter.read.message_reader import ReadResult, read_message
from tests.support.carriers import (
    attached_message,
    calendar,
    data_uri,
    mail,
    picture,
    raw_mail,
    read_file,
    said,
    targets,
)

LINK = "https://t.me/mira_kovac"


def read(raw: bytes, *, text_only: bool = False) -> ReadResult:
    return read_message(raw, Facts(wants_text=True, text_only=text_only))


def sources(result: ReadResult, words: str) -> list[Source]:
    return [segment.source for segment in result.segments if words in segment.text]


def test_an_attached_mail_is_carried_with_all_it_holds() -> None:
    inner = attached_message("words inside\r\n", (picture(LINK), "image/png", "a.png"))
    file = read_file(inner, "a.eml")
    assert said(file) == "A question about your field\nwords inside"
    assert said(file, Source.QR) == LINK
    assert file.complete


def test_an_attached_mail_hides_and_links() -> None:
    html = f"<p>seen</p><p style='display:none'>hidden</p><a href='{LINK}'>seen</a>{data_uri(picture(LINK))}"
    file = read_file(mail(text="seen\r\n", html=html), "a.eml")
    assert [segment.text for segment in file.hidden] == ["hidden"]
    assert (LINK, "seen") in targets(file)
    assert said(file, Source.QR) == LINK


def test_a_forwarded_mail_is_quoted_however_it_is_encoded() -> None:
    inner = "Subject: x\r\n\r\nwords inside\r\n"
    encoded = base64.b64encode(inner.encode()).decode()
    for part in (
        f"Content-Type: message/rfc822\r\n\r\n{inner}",
        f"Content-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}",
    ):
        assert sources(read(raw_mail(part)), "words inside") == [Source.QUOTED]


def test_a_file_within_a_forwarded_mail_is_quoted_but_a_code_is_a_code() -> None:
    inner = mail((picture(LINK), "image/png", "a.png"), (b"words inside", "application/x", "a.txt"))
    result = read(raw_mail(f"Content-Type: message/rfc822\r\n\r\n{inner.decode()}"))
    assert sources(result, "words inside") == [Source.QUOTED]
    assert sources(result, LINK) == [Source.QR]


def test_mail_in_mail_in_mail_ends() -> None:
    inner = attached_message("deepest\r\n")
    for _ in range(9):
        inner = attached_message("level\r\n", (inner, "application/octet-stream", "a.eml"))
    file = read_file(inner, "a.eml")
    assert said(file).count("level") == 4
    assert "deepest" not in said(file)
    assert not file.complete


@pytest.mark.parametrize(
    ("octets", "name", "expected"),
    [
        ("Größe: @mira".encode("cp1252"), "a.txt", "Größe: @mira"),
        ("Größe: @mira".encode("utf-16"), "a.txt", "Größe: @mira"),
        (b"<p>one</p><p>two</p>", "a.html", "one\ntwo"),
        (b"<svg><text>one</text></svg>", "a.svg", "one"),
        (b"\xef\xbb\xbf" + calendar("SUMMARY:one"), "", "one"),
        ("BEGIN:VCARD\r\nNOTE:one\r\n".encode("utf-16"), "a.vcf", "one"),
        (rb"{\rtf1\ansi one\par two}", "a.doc", "one\ntwo"),
    ],
)
def test_text_under_a_wrong_type(octets: bytes, name: str, expected: str) -> None:
    file = read_file(octets, name)
    assert "".join(segment.text for segment in file.segments) == expected
    assert file.complete


@pytest.mark.parametrize("name", ["a.txt", "a.csv"])
def test_a_picture_under_the_name_of_text(name: str) -> None:
    result = read(_as_text(name))
    assert sources(result, LINK) == [Source.QR]


def _as_text(name: str) -> bytes:
    encoded = base64.b64encode(picture(LINK)).decode()
    return raw_mail(
        f'Content-Type: text/plain; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n\r\n{encoded}'
    )


def test_rich_text_shows_links_and_pictures() -> None:
    hexadecimal = picture(LINK).hex()
    octets = (
        rb'{\rtf1\ansi see {\field{\*\fldinst HYPERLINK "https://wa.me/447700900123"}{\fldrslt here}}'
        rb"{\pict\picw132\pich132\pngblip\bin0 " + hexadecimal.encode() + b"}}"
    )
    file = read_file(octets)
    assert targets(file)[0][0] == "https://wa.me/447700900123"
    assert said(file, Source.QR) == LINK


def attribute(identifier: int, data: bytes, level: int = 1) -> bytes:
    return struct.pack("<BII", level, identifier, len(data)) + data + b"\0\0"


def properties(*rows: tuple[int, int, bytes]) -> bytes:
    octets = struct.pack("<I", len(rows))
    for kind, name, value in rows:
        padding = b"\0" * (-len(value) % 4)
        octets += struct.pack("<HHII", kind, name, 1, len(value)) + value + padding
    return octets


def tnef(*attributes: bytes) -> bytes:
    return struct.pack("<IH", 0x223E9F78, 1) + b"".join(attributes)


# MS-OXRTFCP §4.1.1.
COMPRESSED = bytes.fromhex(
    "2d0000002b0000004c5a4675f1c5c7a703000a007263706731323542320af32068656c0900206277"
    "05b06c647d0a800fa0"
)


def test_the_example_of_the_specification_is_decompressed() -> None:
    assert decompressed(COMPRESSED) == b"{\\rtf1\\ansi\\ansicpg1252\\pard hello world}\r\n"


@pytest.mark.parametrize(
    "octets",
    [
        tnef(attribute(0x0002800C, b"hello world\0")),
        tnef(
            attribute(0x00069003, properties((0x1F, 0x1000, "hello world\0".encode("utf-16-le"))))
        ),
        tnef(attribute(0x00069003, properties((0x102, 0x1009, COMPRESSED)))),
        tnef(attribute(0x00069003, properties((0x102, 0x1013, b"<p>hello world</p>")))),
        tnef(
            attribute(0x00069002, b"\0" * 14, 2),
            attribute(0x00018010, b"a.txt\0", 2),
            attribute(0x0006800F, b"hello world", 2),
        ),
        tnef(
            attribute(0x00069002, b"\0" * 14, 2),
            attribute(0x0006800F, b"hello world", 2),
            attribute(0x00069005, properties((0x1F, 0x3707, "a.txt".encode("utf-16-le"))), 2),
        ),
    ],
)
def test_what_outlook_wraps(octets: bytes) -> None:
    file = read_file(octets, "winmail.dat", "application/ms-tnef")
    assert said(file) == "hello world"
    assert file.complete


def test_a_code_that_outlook_wraps() -> None:
    octets = tnef(attribute(0x00069002, b"", 2), attribute(0x0006800F, picture(LINK), 2))
    assert said(read_file(octets), Source.QR) == LINK


@pytest.mark.parametrize(
    "octets",
    [
        tnef(attribute(0x0002800C, b"hello world\0"))[:-9],
        tnef(attribute(0x00069003, b"\xff" * 40)),
        tnef(attribute(0x00069003, properties((0x102, 0x1009, b"x" * 30)))),
        tnef(*[attribute(0x00089006, b"")] * 5_000),
    ],
)
def test_broken_wrappings_are_misses(octets: bytes) -> None:
    assert not read_file(octets).complete


def test_text_only_mode_opens_nothing() -> None:
    raw = mail((picture(LINK), "image/png", "a.png"), html=f"<p>x</p>{data_uri(picture(LINK))}")
    result = read(raw, text_only=True)
    assert sources(result, LINK) == []
    assert result.uninspected == ("2",)
