"""Formats are told by octets first, then by declared type and name."""

import pytest

from milter.read.carried.kinds import Kind, kind_of


@pytest.mark.parametrize(
    ("head", "media_type", "name", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n", "text/plain", "a.txt", Kind.IMAGE),
        (b"\xff\xd8\xff\xe0", "application/pdf", "a.pdf", Kind.IMAGE),
        (b"GIF89a", "", "", Kind.IMAGE),
        (b"RIFF\0\0\0\0WEBPVP8 ", "", "", Kind.IMAGE),
        (b"RIFF\0\0\0\0WAVEfmt ", "image/webp", "", None),
        (b"BM\0\1\0\0\0\0\0\0\x36", "", "", Kind.IMAGE),
        (b"BMI of the group", "", "a.txt", Kind.TEXT),
        (b"junk before\n%PDF-1.4", "image/png", "", Kind.PDF),
        (b"PK\x03\x04", "application/zip", "a.docx", Kind.PACKAGE),
        (b"PK\x05\x06", "", "", Kind.PACKAGE),
        (b"junk before PK\x03\x04", "application/zip", "a.ZIP", Kind.PACKAGE),
        (b"words", "application/zip", "a.txt", Kind.TEXT),
        (b"\x1f\x8b\x08", "", "", Kind.GZIP),
        (b"a.txt".ljust(257, b"\0") + b"ustar\x0000", "", "", Kind.TAR),
        (b"a.txt".ljust(512, b"\0"), "", "a.tar", Kind.TAR),
        (b"Rar!\x1a\x07\x01\0", "application/vnd.rar", "a.rar", None),
        (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed", "a.7z", None),
        (b"{\\rtf1", "application/msword", "a.doc", Kind.RTF),
        (b"\x78\x9f\x3e\x22", "application/ms-tnef", "winmail.dat", Kind.TNEF),
        (b"\xef\xbb\xbf\r\nbegin:vcalendar", "application/octet-stream", "", Kind.CARD),
        (b"\xff\xfeB\0E\0G\0I\0N\0:\0V\0C\0A\0R\0D\0", "", "", Kind.CARD),
        (b"anything", "application/octet-stream", "Meeting.ICS", Kind.CARD),
        (b"Received: x", "application/octet-stream", "a.eml", Kind.MESSAGE),
        (b"Received: x", "message/rfc822", "", Kind.MESSAGE),
        (b" <!doctype html>", "application/octet-stream", "a.bin", Kind.HTML),
        (b"<svg xmlns", "image/svg+xml", "a.svg", Kind.HTML),
        (b"words", "application/octet-stream", "notes.txt", Kind.TEXT),
        (b"words", "application/octet-stream", "notes", None),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "text/plain", "a.doc", Kind.COMPOUND),
        (b"", "", "", None),
    ],
)
def test_kinds(head: bytes, media_type: str, name: str, kind: Kind | None) -> None:
    assert kind_of(head, media_type, name) is kind
