"""Words into an encoded body: exact insertions for identity, quoted-printable and base64.

The octets around the place stay as they are. In base64 the banner is padded to whole groups, so
that only the group around the place is written anew, in lines as long as those of the body; in
quoted-printable soft breaks keep what stands before it. A place inside a character, an escape or a
line end is refused, and so is one that unsound encoding comes before. Knows nothing of labels and
languages.

**Standards:** RFC 2045 §6.7 (quoted-printable), §6.8 (base64), RFC 3676 §4.4 (space-stuffing).
**Failure:** a `BannerOutcome` instead of an edit; the part keeps its octets.
"""

import binascii
import re
from dataclasses import dataclass

from milter.act.sites import Site
from milter.mail.charsets import Charset
from milter.mail.edit import BannerOutcome, SpliceBody

MAX_BASE64_BYTES = 8_000_000
MAX_TEXT_BYTES = 1_000_000
_ENCODED_LINE = 76
_SHORTEST_LINE = 4
_QP_LINE = re.compile(rb"(?:=[0-9A-Fa-f]{2}|[^=\r\n])*+")
_QP_ESCAPED = re.compile(rb"[^\t -<>-~]|[ \t]\Z")
_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
_LINE_BREAK = re.compile(rb"[\r\n]++")
_BASE64_GROUPS = re.compile(rb"(?:[A-Za-z0-9+/]{4})*+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_CR = 13
_WINDOW = 2_048
# Where a character ends in every charset: none of these is a later octet of another one.
_BETWEEN = frozenset(b">\t\n\f\r ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A banner with LF line ends, and the charset in which it can be written."""

    text: str
    charset: Charset

    def octets(self, line_end: bytes, *, lead: bool = False) -> bytes:
        """The lines, without what ends the last of them; `lead` ends a line before the first."""
        text = "\n" + self.text if lead else self.text
        return self.written(text.replace("\n", line_end.decode("ascii")))

    def lines(self, line_end: bytes, *, lead: bool = False) -> bytes:
        """The lines, each of them ended."""
        return self.octets(line_end, lead=lead) + self.written(line_end.decode("ascii"))

    def written(self, text: str) -> bytes:
        """`text` in the charset."""
        octets = self.charset.encode(text)
        if octets is None:
            raise ValueError("these words do not fit into this charset")
        return octets


def body_octets(raw: bytes, site: Site) -> bytes | BannerOutcome:
    """The octets of the whole body after transfer decoding, bounded."""
    size = site.body_end - site.body_start
    if size > (MAX_BASE64_BYTES if site.encoding == "base64" else MAX_TEXT_BYTES):
        return BannerOutcome.TOO_LARGE
    body = raw[site.body_start : site.body_end]
    if site.encoding == "base64":
        return _strict_base64(body)
    return binascii.a2b_qp(body) if site.encoding == "quoted-printable" else body


def placed(raw: bytes, site: Site, words: Words) -> SpliceBody | BannerOutcome:
    """The edit that puts the words on lines of their own at the site."""
    if site.encoding == "base64":
        return _in_base64(raw, site, words)
    if site.encoding == "quoted-printable":
        return _in_quoted_printable(raw, site, words)
    return _in_identity(raw, site, words)


def requoted(raw: bytes, site: Site, words: Words) -> SpliceBody | BannerOutcome:
    """The edit that puts the words in front of a 7-bit body and makes it quoted-printable."""
    body = raw[site.body_start : site.body_end]
    decoded = words.lines(site.line_end) + body
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
    return line_end.join(_no_delimiter(line) for line in lines)


def _no_delimiter(line: bytes) -> bytes:
    """A soft break may leave on a line of its own what looks like a delimiter (RFC 2046 §5.1.1)."""
    is_short = len(line) <= _ENCODED_LINE - 2
    return b"=2D" + line[1:] if line.startswith(b"--") and is_short else line


def _is_between(before: bytes, after: bytes, site: Site) -> bool:
    """True if words may stand between these decoded octets, all of those before the place."""
    if not before or before in _MARKS:
        return True
    if site.kind == "text":
        return False
    last, following = before[-1], after[:1]
    if site.charset.is_wide:
        last = ord(
            (before[-2:] if len(before) % 2 == 0 else b"").decode(site.charset.codec, "replace")
            or "?"
        )
        following = after[:2].replace(b"\0", b"")
    if last not in _BETWEEN or (last == _CR and following == b"\n"):
        return False
    return site.charset.is_initial_after(before)


def _ends_line(before: bytes) -> bool:
    return not before or before in _MARKS or before.rstrip(b"\0").endswith(b"\n")


def _in_identity(raw: bytes, site: Site, words: Words) -> SpliceBody | BannerOutcome:
    at = site.insert_at
    before = raw[site.body_start : at]
    if not _is_between(before, raw[at : at + 1], site):
        return BannerOutcome.BAD_ENCODING
    inserted = words.lines(site.line_end, lead=not _ends_line(before))
    if raw.startswith(inserted, at):
        return BannerOutcome.ALREADY_THERE
    return SpliceBody(part=site.part, start=at, removed=b"", octets=inserted)


def _in_quoted_printable(raw: bytes, site: Site, words: Words) -> SpliceBody | BannerOutcome:
    at, soft_break = site.insert_at, b"=" + site.line_end
    line_start = max(site.body_start, raw.rfind(b"\n", site.body_start, at) + 1)
    prefix = raw[line_start:at]
    before = binascii.a2b_qp(raw[site.body_start : at])
    if not _QP_LINE.fullmatch(prefix) or not _is_between(before, raw[at : at + 1], site):
        return BannerOutcome.BAD_ENCODING
    inserted = _quoted(words.lines(site.line_end), site.line_end)
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


def _strict_base64(body: bytes) -> bytes | BannerOutcome:
    characters = body.translate(None, b"\r\n")
    try:
        decoded = binascii.a2b_base64(characters, strict_mode=True)
    except binascii.Error:
        return BannerOutcome.BAD_ENCODING
    # The strict mode still lets some surplus padding pass.
    whole = len(characters) == (len(decoded) + 2) // 3 * 4
    return decoded if whole else BannerOutcome.BAD_ENCODING


def _in_base64(raw: bytes, site: Site, words: Words) -> SpliceBody | BannerOutcome:
    """Only what stands before the place has to be sound: nothing behind it moves within a group."""
    at, phase = site.insert_at, site.insert_at % 3
    start = _offset_after(raw, site.body_start, site.body_end, (at - phase) // 3 * 4)
    if start is None:
        return BannerOutcome.SITE_DOUBTFUL
    whole = _strict_base64(raw[site.body_start : start])
    ahead = _clean_base64(raw, start, site.body_end, _WINDOW)
    if isinstance(whole, BannerOutcome) or len(whole) != at - phase or len(ahead) < phase:
        return BannerOutcome.BAD_ENCODING
    if not ahead and raw[start : site.body_end].strip(b"\r\n"):
        return BannerOutcome.BAD_ENCODING
    head, tail = ahead[:phase], ahead[phase:3] if phase else b""
    before = whole + head
    if not _is_between(before, ahead[phase : phase + 2], site):
        return BannerOutcome.BAD_ENCODING
    line_end = _inner_line_end((before + ahead)[:_WINDOW])
    lines = words.octets(line_end, lead=not _ends_line(before))
    if ahead.startswith(lines[: _WINDOW // 4], phase):
        more = _clean_base64(raw, start, site.body_end, len(lines) + _WINDOW)
        if more.startswith(lines, phase):
            return BannerOutcome.ALREADY_THERE
    break_octets = words.written(line_end.decode("ascii"))
    # On a line of its own a space is a paragraph that flows on; an empty line is none.
    pad = break_octets if site.is_flowed else words.written(" ")
    used = len(head) + len(lines) + len(break_octets) + len(tail)
    lines += pad * next(count for count in range(3) if (used + count * len(pad)) % 3 == 0)
    end = _offset_after(raw, start, site.body_end, 4 if phase else 0)
    end = site.body_end if end is None else end
    inserted = _base64_lines(raw, site, head + lines + break_octets + tail, start, end)
    return SpliceBody(part=site.part, start=start, removed=raw[start:end], octets=inserted)


def _clean_base64(raw: bytes, start: int, stop: int, window: int) -> bytes:
    """What the characters from `start` on give, as far as they are sound; about `window` octets."""
    characters = raw[start : min(stop, start + window * 2)].translate(None, b"\r\n")
    try:
        return binascii.a2b_base64(characters[: len(characters) // 4 * 4], strict_mode=True)
    except binascii.Error:
        sound = _BASE64_GROUPS.match(characters)
        return binascii.a2b_base64(sound[0]) if sound else b""


def _inner_line_end(sample: bytes) -> bytes:
    """LF in a text that has nothing else, CRLF by default."""
    narrow = sample.replace(b"\0", b"")
    return b"\n" if b"\n" in narrow and b"\r\n" not in narrow else b"\r\n"


def _offset_after(raw: bytes, start: int, stop: int, count: int) -> int | None:
    """The offset after the first `count` characters from `start` on; None if there are fewer."""
    if not count:
        return start
    line_start, seen = start, 0
    for line_break in _LINE_BREAK.finditer(raw, start, stop):
        length = line_break.start() - line_start
        if count <= seen + length:
            return line_start + count - seen
        seen += length
        line_start = line_break.end()
    return line_start + count - seen if count <= seen + stop - line_start else None


def _base64_lines(raw: bytes, site: Site, octets: bytes, start: int, end: int) -> bytes:
    """Whole lines of base64 between `start` and `end`, as long as the lines of the body."""
    first_break = _LINE_BREAK.search(raw, site.body_start, site.body_end)
    is_line = first_break is not None and first_break.end() < site.body_end
    length = first_break.start() - site.body_start if first_break and is_line else 0
    width = length - length % 4 if _SHORTEST_LINE <= length <= _ENCODED_LINE else _ENCODED_LINE
    encoded = binascii.b2a_base64(octets, newline=False)
    lines = [encoded[index : index + width] for index in range(0, len(encoded), width)]
    if start > site.body_start and raw[start - 1] not in b"\r\n":
        lines.insert(0, b"")
    if end < site.body_end and raw[end] not in b"\r\n":
        lines.append(b"")
    return site.line_end.join(lines)
