"""What format a file is in: by its first octets, else by declared type or file name.

Octets win where they are unmistakable, whatever the header of the part says; type and name decide
for formats that are plain text. Refuses to guess further: None is not looked into.

**Standards:** PNG (ISO/IEC 15948) §5.2, JPEG (ISO/IEC 10918-1) B.1, GIF89a, RFC 9649 (WebP),
ISO 32000-1 §7.5.2 (PDF), APPNOTE 6.3.10 §4.3 (zip), RFC 1952 §2.3.1 (gzip), POSIX.1-2017 pax
(ustar), MS-CFB §2.2, MS-OXTNEF §2.1.3.1, RFC 5545 §3.4, RFC 6350 §6.1.1.
"""

from enum import StrEnum

HEAD_OCTETS = 1_024


class Kind(StrEnum):
    """Formats that a module here reads."""

    IMAGE = "image"
    PDF = "pdf"
    PACKAGE = "package"
    COMPOUND = "compound"
    TAR = "tar"
    GZIP = "gzip"
    RTF = "rtf"
    TNEF = "tnef"
    CARD = "card"
    MESSAGE = "message"
    HTML = "html"
    TEXT = "text"


# What takes long to read.
DEAR = frozenset({Kind.IMAGE, Kind.PDF})

_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", Kind.IMAGE),
    (b"\xff\xd8\xff", Kind.IMAGE),
    (b"GIF8", Kind.IMAGE),
    (b"BM", Kind.IMAGE),
    (b"PK\x03\x04", Kind.PACKAGE),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", Kind.COMPOUND),
    (b"PK\x05\x06", Kind.PACKAGE),
    (b"PK\x07\x08", Kind.PACKAGE),
    (b"\x1f\x8b\x08", Kind.GZIP),
    (b"{\\rt", Kind.RTF),
    (b"\x78\x9f\x3e\x22", Kind.TNEF),
)
_TYPES = {
    "text/calendar": Kind.CARD,
    "application/ics": Kind.CARD,
    "text/vcard": Kind.CARD,
    "text/x-vcard": Kind.CARD,
    "text/directory": Kind.CARD,
    "message/rfc822": Kind.MESSAGE,
    "message/global": Kind.MESSAGE,
    "message/news": Kind.MESSAGE,
    "text/html": Kind.HTML,
    "application/xhtml+xml": Kind.HTML,
    "image/svg+xml": Kind.HTML,
    "text/plain": Kind.TEXT,
}
_EXTENSIONS = {
    "ics": Kind.CARD,
    "ical": Kind.CARD,
    "ifb": Kind.CARD,
    "vcs": Kind.CARD,
    "vcf": Kind.CARD,
    "vcard": Kind.CARD,
    "eml": Kind.MESSAGE,
    "mht": Kind.MESSAGE,
    "mhtml": Kind.MESSAGE,
    "htm": Kind.HTML,
    "html": Kind.HTML,
    "shtml": Kind.HTML,
    "xhtml": Kind.HTML,
    "svg": Kind.HTML,
    "tar": Kind.TAR,
    "txt": Kind.TEXT,
    "text": Kind.TEXT,
    "md": Kind.TEXT,
    "csv": Kind.TEXT,
    # The list of entries stands at the end: whatever stands before the first does not matter.
    "zip": Kind.PACKAGE,
}
_CARD_STARTS = (b"BEGIN:VCALENDAR", b"BEGIN:VCARD")
_HTML_STARTS = (b"<!DOCTYPE HTML", b"<HTML", b"<SVG")
_BOMS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def magic_kind(head: bytes) -> Kind | None:
    """The format that the first octets alone show, None for plain text and what is not known."""
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind if magic != b"BM" or head[6:10] == b"\0\0\0\0" else None
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return Kind.IMAGE
    if head[257:262] == b"ustar":
        return Kind.TAR
    # Readers of PDF look for the mark in the first kilobyte.
    return Kind.PDF if b"%PDF-" in head else None


def kind_of(head: bytes, media_type: str, filename: str) -> Kind | None:
    """The format of a file with these first octets, declared as this type under this name."""
    if kind := magic_kind(head):
        return kind
    for bom in _BOMS:
        head = head.removeprefix(bom)
    start = head.replace(b"\0", b"").lstrip()[:20].upper()
    if start.startswith(_CARD_STARTS):
        return Kind.CARD
    extension = filename.rpartition(".")[2].lower() if "." in filename else ""
    kind = _TYPES.get(media_type) or _EXTENSIONS.get(extension)
    if kind in (None, Kind.TEXT) and start.startswith(_HTML_STARTS):
        return Kind.HTML
    return kind
