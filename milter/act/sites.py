"""Whether a banner may go where a reader says: an `EditSite` is a claim, checked on the octets.

The reader that looked at the message may be captured, so the front believes no span: the part's
header is found and scanned again, labels are read from it, delimiters must stand where the body
ends, and no signed or encrypted multipart may enclose the place. On any doubt the answer is no.
Refuses to find places itself: `read` does.

**Standards:** RFC 2045 §5 and §6 (labels), RFC 2046 §5.1.1 (delimiters), RFC 1847 (signed and
encrypted multiparts are not touched), RFC 3676 §4 (format=flowed).
**Failure:** a `BannerOutcome` that says why not; the part keeps its octets.
"""

import binascii
import re
from dataclasses import dataclass

from milter.mail.charsets import Charset, writable_charset
from milter.mail.edit import BannerOutcome
from milter.mail.message import Header, HeaderField, field_value, scan_header
from milter.mail.reading import EditSite

_PART_HEADER_BYTES = 65_536
_HEAD_BYTES = 16
_KINDS = {b"plain": "text", b"html": "html"}
_IDENTITY = frozenset({"7bit", "8bit", "binary"})
_MEDIA_TYPE = re.compile(
    rb"text/(plain|html)[ \t]*(?:\([^()]{0,200}\)[ \t]*){0,3}(?:;|\Z)", re.IGNORECASE
)
_BARE_TEXT = re.compile(rb"(?:text(?![^ \t;])|\Z)", re.IGNORECASE)
_CHARSET = re.compile(rb'(?<=[; \t\r\n])charset[ \t]*=[ \t]*"?([^\s;"()]+)"?', re.IGNORECASE)
_ANY_CHARSET = re.compile(rb"charset[\d* \t]*=", re.IGNORECASE)
_FLOWED = re.compile(rb'format[ \t]*=[ \t]*"?flowed', re.IGNORECASE)
# One of these around the site, and the part is left alone (design rule 11).
_PROTECTED = {
    b"multipart/signed": BannerOutcome.SIGNED,
    b"multipart/encrypted": BannerOutcome.ENCRYPTED,
}
_MOST_PROTECTED = 20
_TYPE_FIELD = re.compile(rb"(?:\A|\n)content-type:[ \t\r\n]*\Z")
_REST_OF_FIELD = re.compile(rb"[^\n]*\n?(?:[ \t][^\n]*\n?){0,50}")
_OPAQUE = re.compile(rb"application/(?:x-)?pkcs7-|multipart/encrypted", re.IGNORECASE)
_ANY_BOUNDARY = re.compile(
    rb'boundary[ \t]*=[ \t\r\n]*(?:"([^"\r\n]{1,200})"|([^\s;"()]{1,200}))', re.IGNORECASE
)
_BOUNDARY = re.compile(rb'boundary[ \t]*=[ \t]*(?:"([^"\r\n]{1,200})"|([^\s;"()]{1,200}))')


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place that stood the check. `charset` is what the part's own label says.

    `is_root` means that the part's header is the message's own. `line_end` is that of the part.
    `is_flowed`: a line that ends in a space goes on in the next one, and one that begins with a
    space loses it.
    """

    part: str
    kind: str
    encoding: str
    charset: Charset
    is_flowed: bool
    header: Header
    is_root: bool
    body_start: int
    body_end: int
    insert_at: int
    line_end: bytes


def check_site(raw: bytes, message_header: Header, claim: EditSite) -> Site | BannerOutcome:
    """The site, or why no banner goes there."""
    header = _own_header(raw, message_header, claim)
    if header is None or not _ends_at_delimiter(raw, claim):
        return BannerOutcome.SITE_DOUBTFUL
    protected = _protection(raw, message_header, header)
    if protected is not None:
        return protected
    value = _agreed_type(raw, header, claim)
    if value is None or not _agreed_encoding(raw, header, claim):
        return BannerOutcome.SITE_DOUBTFUL
    charset = _charset(raw, header, claim)
    if charset is None or (charset.is_wide and claim.encoding != "base64"):
        return BannerOutcome.CHARSET
    if raw.find(b"-----BEGIN PGP", claim.body_start, claim.body_end) >= 0:
        return BannerOutcome.INLINE_PGP
    return Site(
        part=claim.part,
        kind=claim.kind,
        encoding="identity" if claim.encoding in _IDENTITY else claim.encoding,
        charset=charset,
        is_flowed=claim.kind == "text" and _FLOWED.search(value) is not None,
        header=header,
        is_root=header.start == message_header.start,
        body_start=claim.body_start,
        body_end=claim.body_end,
        insert_at=claim.insert_at,
        line_end=raw[claim.header_end : claim.body_start],
    )


def only_field(header: Header, name: bytes) -> HeaderField | None:
    """The one field of that name; None if there is none or several."""
    fields = tuple(header.named(name))
    return fields[0] if len(fields) == 1 else None


def clear_field(raw: bytes, header: Header, name: bytes) -> HeaderField | None:
    """The first field of that name, if all of them say the same; None if there is none, too."""
    fields = tuple(header.named(name))
    return fields[0] if len({field_value(raw, field) for field in fields}) == 1 else None


def has_clear_labels(raw: bytes, header: Header) -> bool:
    """True if a label of the part that changes is the one that every reader goes by.

    Where the type is odd, some reader may find a multipart, whose parts must not be written anew;
    for some a header ends at an obsolete space before a colon.
    """
    for name in (b"content-type", b"content-transfer-encoding"):
        if header.first(name) is not None and only_field(header, name) is None:
            return False
    field = header.first(b"content-type")
    if field is not None and not _MEDIA_TYPE.match(field_value(raw, field)):
        return False
    return not any(raw[field.value_start - 2] in b" \t" for field in header.fields)


def charset_span(raw: bytes, field: HeaderField) -> tuple[int, int] | None:
    """Where the charset value stands in a Content-Type field; None unless exactly one does."""
    spans = [match.span(1) for match in _CHARSET.finditer(raw, field.value_start, field.end)]
    return spans[0] if len(spans) == 1 else None


def may_hold_parts(raw: bytes, site: Site) -> bool:
    """True if some reader may find a delimiter in the body, though a strict one finds none.

    Lenient ones accept more behind a boundary than white space. In front of what such a reader
    takes for further parts something may be put, but they must not be written anew.
    """
    if site.is_root:
        return False
    start = site.header.start
    line = raw[raw.rfind(b"\n", 0, start - 1) + 1 : start].strip()
    marks = {line.removesuffix(b"--")} if line.startswith(b"--") else set()
    marks |= {b"--" + (found[1] or found[2]) for found in _ANY_BOUNDARY.finditer(raw, 0, start)}
    return any(raw.find(mark, site.body_start, site.body_end) >= 0 for mark in marks)


def _own_header(raw: bytes, message_header: Header, claim: EditSite) -> Header | None:
    """The header that the part's body follows, scanned again; None if there is no such thing."""
    if not 0 <= claim.header_end < claim.body_start <= claim.body_end <= len(raw):
        return None
    in_octets = claim.body_start <= claim.insert_at <= claim.body_end
    if claim.insert_at < 0 or (claim.encoding != "base64" and not in_octets):
        return None
    if raw[claim.header_end : claim.body_start] not in (b"\r\n", b"\n"):
        return None
    if claim.header_end < message_header.body_start:
        is_root = (claim.header_end, claim.body_start) == (
            message_header.header_end,
            message_header.body_start,
        )
        return message_header if is_root and not message_header.defects else None
    # The header of a part begins after the nearest delimiter line (RFC 2046 §5.1.1).
    lowest = max(message_header.header_end, claim.header_end - _PART_HEADER_BYTES)
    delimiter = raw.rfind(b"\n--", lowest, claim.header_end)
    start = raw.find(b"\n", delimiter + 1, claim.header_end) + 1
    if delimiter < 0 or start == 0:
        return None
    header = scan_header(raw, start=start, stop=claim.body_start)
    sound = header.terminated and not header.defects
    same = (header.header_end, header.body_start) == (claim.header_end, claim.body_start)
    return header if sound and same else None


def _ends_at_delimiter(raw: bytes, claim: EditSite) -> bool:
    """A body ends with the message, or before the line end that belongs to a delimiter."""
    end = claim.body_end
    splits_line_end = raw[end - 1 : end + 1] == b"\r\n"
    if end == len(raw) or (raw.startswith((b"\r\n--", b"\n--"), end) and not splits_line_end):
        return True
    return end == claim.body_start and raw.startswith(b"--", end)


def _protection(raw: bytes, message_header: Header, header: Header) -> BannerOutcome | None:
    root_type = clear_field(raw, message_header, b"content-type")
    if root_type is not None and _OPAQUE.match(field_value(raw, root_type)):
        return BannerOutcome.ENCRYPTED
    before = raw[: header.start].lower()
    for media_type, outcome in _PROTECTED.items():
        position = before.find(media_type)
        for _ in range(_MOST_PROTECTED):
            if position < 0:
                break
            if _TYPE_FIELD.search(before, max(0, position - 200), position):
                field = _REST_OF_FIELD.match(before, position)
                if _may_enclose(before, field[0] if field else b"", position):
                    return outcome
            position = before.find(media_type, position + 1)
        else:
            return outcome
    return None


def _may_enclose(before: bytes, field: bytes, position: int) -> bool:
    """True unless the multipart whose Content-Type value is `field` was closed since."""
    boundary = _BOUNDARY.search(field)
    if boundary is None:
        return True
    return before.find(b"\n--" + (boundary[1] or boundary[2]) + b"--", position) < 0


def _agreed_encoding(raw: bytes, header: Header, claim: EditSite) -> bool:
    name = b"content-transfer-encoding"
    field = clear_field(raw, header, name)
    if field is None and header.first(name) is not None:
        return False
    label = field_value(raw, field).lower().decode("latin-1") if field else ""
    label = label or "7bit"
    return label == claim.encoding or (label in _IDENTITY and claim.encoding in _IDENTITY)


def _agreed_type(raw: bytes, header: Header, claim: EditSite) -> bytes | None:
    """The part's own Content-Type value, b'' without one; None where it contradicts the claim."""
    disposition = clear_field(raw, header, b"content-disposition")
    if disposition is not None and field_value(raw, disposition)[:10].lower() == b"attachment":
        return None
    field = clear_field(raw, header, b"content-type")
    if field is None:
        several = header.first(b"content-type") is not None
        return None if several or claim.kind != "text" else b""
    value = field_value(raw, field)
    media_type = _MEDIA_TYPE.match(value)
    if media_type is None:
        # RFC 2045 §5.2 makes plain text of whatever is no type; for some programs it is a file.
        return value if claim.kind == "text" and _BARE_TEXT.match(value) else None
    return value if _KINDS[media_type[1].lower()] == claim.kind else None


def _charset(raw: bytes, header: Header, claim: EditSite) -> Charset | None:
    """The charset by the part's own label; None where no words can be added."""
    field = clear_field(raw, header, b"content-type")
    if field is None or not _ANY_CHARSET.search(raw, field.value_start, field.end):
        return writable_charset("")
    span = charset_span(raw, field)
    if span is None:
        return None
    label = raw[span[0] : span[1]].strip(b"'").lower().decode("latin-1")
    return writable_charset(label, _head(raw, claim))


def _head(raw: bytes, claim: EditSite) -> bytes:
    """How the decoded body begins, for a byte order mark; the encodings that hold one are few."""
    head = raw[claim.body_start : min(claim.body_end, claim.body_start + _HEAD_BYTES)]
    if claim.encoding == "base64":
        characters = head.translate(None, b"\r\n")[:4]
        try:
            return binascii.a2b_base64(characters)
        except binascii.Error:
            return b""
    return binascii.a2b_qp(head) if claim.encoding == "quoted-printable" else head
