"""Octets into an encoded body: exact insertions for identity, quoted-printable and base64.

The octets around the place stay as they are. In base64 the banner is padded with spaces to whole
groups, so that only the group around the place is written anew; in quoted-printable soft breaks
keep what stands before it. A place inside a character, an escape or a line end is refused, and so
is a body that is not what its encoding says. Knows nothing of labels and languages.

**Standards:** RFC 2045 §6.7 (quoted-printable), §6.8 (base64).
**Failure:** a `BannerOutcome` instead of an edit; the part keeps its octets.
"""

import binascii
import re

from milter.act.sites import Site
from milter.mail.edit import BannerOutcome, SpliceBody

MAX_BASE64_BYTES = 8_000_000
MAX_TEXT_BYTES = 1_000_000
_ENCODED_LINE = 76
_QP_LINE = re.compile(rb"(?:=[0-9A-Fa-f]{2}|[^=\r\n])*+")
_QP_ESCAPE_BEFORE = re.compile(rb"=([0-9A-Fa-f]{2})(?:=\r?\n)?\Z")
_QP_ESCAPED = re.compile(rb"[^\t -<>-~]|[ \t]\Z")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_QP_BYTE_ORDER_MARK = b"=EF=BB=BF"
_LINE_BREAK = re.compile(rb"[\r\n]++")
_WINDOW = 8_192


def decoded_body(raw: bytes, site: Site) -> bytes | BannerOutcome:
    """The octets of the body after transfer decoding, bounded."""
    size = site.body_end - site.body_start
    if site.encoding == "base64":
        return _base64_body(raw, site)
    if size > MAX_TEXT_BYTES:
        return BannerOutcome.TOO_LARGE
    body = raw[site.body_start : site.body_end]
    return binascii.a2b_qp(body) if site.encoding == "quoted-printable" else body


def placed(raw: bytes, site: Site, octets: bytes) -> SpliceBody | BannerOutcome:
    """The edit that puts `octets` (LF line ends) on lines of their own at the site."""
    if site.encoding == "base64":
        return _in_base64(raw, site, octets)
    if site.encoding == "quoted-printable":
        return _in_quoted_printable(raw, site, octets)
    return _in_identity(raw, site, octets)


def requoted(raw: bytes, site: Site, octets: bytes) -> SpliceBody | BannerOutcome:
    """The edit that puts `octets` in front of a 7-bit body and makes it quoted-printable."""
    body = raw[site.body_start : site.body_end]
    decoded = _lines(octets, site.line_end) + body
    encoded = _quoted(decoded, site.line_end)
    if binascii.a2b_qp(encoded) != decoded:
        return BannerOutcome.BAD_ENCODING
    return SpliceBody(part=site.part, start=site.body_start, removed=body, octets=encoded)


def _quoted(octets: bytes, line_end: bytes) -> bytes:
    """Quoted-printable; binascii's own encoder gives lines of 77 octets here and there."""
    lines: list[bytes] = []
    for line in octets.split(line_end):
        line = _QP_ESCAPED.sub(lambda match: b"=%02X" % match[0][0], line)
        start = 0
        while len(line) - start > _ENCODED_LINE:
            stop = start + _ENCODED_LINE - 1
            escape = line.rfind(b"=", stop - 2, stop)
            stop = escape if escape >= 0 else stop
            lines.append(line[start:stop] + b"=")
            start = stop
        lines.append(line[start:])
    return line_end.join(lines)


def _lines(octets: bytes, line_end: bytes, pad: bytes = b"") -> bytes:
    """The lines with a last, empty one that takes the padding."""
    return octets.replace(b"\n", line_end) + pad + line_end


def _in_identity(raw: bytes, site: Site, octets: bytes) -> SpliceBody | BannerOutcome:
    at = site.insert_at
    before = raw[at - 1 : at] if at > site.body_start else b"\n"
    is_after_mark = raw[site.body_start : at] == _BYTE_ORDER_MARK
    if _splits_character(before, raw[at : at + 1]) and not is_after_mark:
        return BannerOutcome.BAD_ENCODING
    inserted = _lines(octets, site.line_end)
    if before != b"\n":
        inserted = site.line_end + inserted
    if raw.startswith(inserted, at):
        return BannerOutcome.ALREADY_THERE
    return SpliceBody(part=site.part, start=at, removed=b"", octets=inserted)


def _splits_character(before: bytes, after: bytes) -> bool:
    """True inside a multi-octet character or between CR and LF."""
    return before >= b"\x80" or (before == b"\r" and after == b"\n")


def _in_quoted_printable(raw: bytes, site: Site, octets: bytes) -> SpliceBody | BannerOutcome:
    at, soft_break = site.insert_at, b"=" + site.line_end
    line_start = max(site.body_start, raw.rfind(b"\n", site.body_start, at) + 1)
    prefix = raw[line_start:at]
    escape = _QP_ESCAPE_BEFORE.search(raw, max(site.body_start, at - 6), at)
    is_in_character = escape is not None and escape[1] >= b"8"
    is_after_mark = prefix.upper() == _QP_BYTE_ORDER_MARK and line_start == site.body_start
    if not _QP_LINE.fullmatch(prefix) or (is_in_character and not is_after_mark):
        return BannerOutcome.BAD_ENCODING
    inserted = _quoted(_lines(octets, site.line_end), site.line_end)
    start, removed = at, b""
    if prefix:
        inserted = soft_break + inserted
        if len(prefix) == _ENCODED_LINE:
            # No room for the soft break: the last character moves down to a line of its own.
            removed = prefix[-3:] if prefix[-3:-2] == b"=" else prefix[-1:]
            start -= len(removed)
            inserted = soft_break + removed + inserted
    if raw.startswith(inserted, start):
        return BannerOutcome.ALREADY_THERE
    return SpliceBody(part=site.part, start=start, removed=removed, octets=inserted)


def _base64_body(raw: bytes, site: Site) -> bytes | BannerOutcome:
    if site.body_end - site.body_start > MAX_BASE64_BYTES:
        return BannerOutcome.TOO_LARGE
    characters = raw[site.body_start : site.body_end].translate(None, b"\r\n")
    try:
        decoded = binascii.a2b_base64(characters, strict_mode=True)
    except binascii.Error:
        return BannerOutcome.BAD_ENCODING
    # The strict mode still lets some surplus padding pass.
    whole = len(characters) == (len(decoded) + 2) // 3 * 4
    return decoded if whole else BannerOutcome.BAD_ENCODING


def _in_base64(raw: bytes, site: Site, octets: bytes) -> SpliceBody | BannerOutcome:
    decoded = _base64_body(raw, site)
    if isinstance(decoded, BannerOutcome):
        return decoded
    at = site.insert_at
    if at > len(decoded):
        return BannerOutcome.SITE_DOUBTFUL
    before = decoded[at - 1 : at] or b"\n"
    is_after_mark = decoded[:at] == _BYTE_ORDER_MARK
    if _splits_character(before, decoded[at : at + 1]) and not is_after_mark:
        return BannerOutcome.BAD_ENCODING
    window = decoded[:_WINDOW]
    line_end = b"\n" if b"\n" in window and b"\r\n" not in window else b"\r\n"
    lines = (b"" if before == b"\n" else line_end) + octets.replace(b"\n", line_end)
    if decoded.startswith(lines, at):
        return BannerOutcome.ALREADY_THERE
    first = at - at % 3
    head, tail = decoded[first:at], decoded[at : first + 3] if at % 3 else b""
    pad = b" " * (-len(head + lines + line_end + tail) % 3)
    group = first // 3 * 4
    body = raw[site.body_start : site.body_end]
    start = _offset_after(body, group)
    end = _offset_after(body, group + 4) if head else start
    inserted = _base64_lines(
        head + lines + pad + line_end + tail, body, start=start, end=end, line_end=site.line_end
    )
    return SpliceBody(
        part=site.part,
        start=site.body_start + start,
        removed=body[start:end],
        octets=inserted,
    )


def _offset_after(body: bytes, count: int) -> int:
    """The offset after the first `count` base64 characters."""
    line_start = seen = 0
    for line_break in _LINE_BREAK.finditer(body):
        length = line_break.start() - line_start
        if count <= seen + length:
            break
        seen += length
        line_start = line_break.end()
    return line_start + count - seen


def _base64_lines(octets: bytes, body: bytes, *, start: int, end: int, line_end: bytes) -> bytes:
    """Whole lines of base64 between `start` and `end`, as long as the lines of the body."""
    first_break = _LINE_BREAK.search(body)
    length = first_break.start() if first_break and first_break.end() < len(body) else 0
    width = length - length % 4 if 20 <= length <= _ENCODED_LINE else _ENCODED_LINE
    encoded = binascii.b2a_base64(octets, newline=False)
    lines = [encoded[index : index + width] for index in range(0, len(encoded), width)]
    before, after = body[:start], body[end:]
    if before and not before.endswith((b"\r", b"\n")):
        lines.insert(0, b"")
    if after and after[:1] not in b"\r\n":
        lines.append(b"")
    return line_end.join(lines)
