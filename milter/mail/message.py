"""The header of a message or of a MIME part as spans into the raw octets.

Finds fields, never interprets them; values stay octets (`field_value` only unfolds). Refuses to
repair: a line that is no field stays where it is and is reported. Decoding is done in `read`.

**Standards:** RFC 5322 §2.2 (fields, folding), §4.5 (obsolete space before the colon),
RFC 6532 (8-bit values).
**Failure:** never raises; what is wrong is listed in `Header.defects`.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from milter.mail.reading import Defect

MAX_FIELDS = 2_000
MAX_HEADER_BYTES = 1_000_000

# Each alternative eats whole lines, so that consecutive matches leave no gap: a field with its
# folded lines, an empty line, a line that is neither. Possessive repeats keep it linear.
_LINES = re.compile(rb"([!-9;-~]++)[ \t]*+(:)[^\n]*+\n?+(?:[ \t][^\n]*+\n?+)*+|(\r?\n)|[^\n]++\n?+")
_BLANK_LINE = re.compile(rb"\n\r?\n")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")


_CUT = frozenset({Defect.TOO_MANY_FIELDS, Defect.HEADER_TOO_LARGE})


class HeaderField(NamedTuple):
    """One field; `raw[start:end]` is the whole of it with folded lines and final line end.

    `name` is lower case without the colon. A named tuple because a message has some fifty of them.
    """

    name: bytes
    start: int
    value_start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """All fields in order; `header_end` is where a field can be added, `body_start` the body.

    `terminated` is False if no empty line ends the header. `first_junk` is the offset of the first
    line that is no field (-1: none); some receivers let the body begin there.
    """

    fields: tuple[HeaderField, ...]
    start: int
    header_end: int
    body_start: int
    terminated: bool
    first_junk: int = -1
    defects: tuple[Defect, ...] = ()

    @property
    def is_cut(self) -> bool:
        """True if the bounds of the scanner left fields out."""
        return any(defect in _CUT for defect in self.defects)

    def named(self, name: bytes) -> Iterator[HeaderField]:
        """All fields of that name (lower case), top first."""
        return (field for field in self.fields if field.name == name)

    def first(self, name: bytes) -> HeaderField | None:
        """The topmost field of that name (lower case)."""
        return next(self.named(name), None)


def scan_header(
    raw: bytes,
    *,
    start: int = 0,
    stop: int | None = None,
    max_fields: int = MAX_FIELDS,
    max_bytes: int = MAX_HEADER_BYTES,
) -> Header:
    """Find the fields between `start` and the first empty line, at most `stop`.

    Beyond the bounds fields are no longer listed, but the end of the header is still found.
    """
    end = len(raw) if stop is None else stop
    fields: list[HeaderField] = []
    defects: list[Defect] = []
    first_junk = -1
    position = _after_mbox_line(raw, start, end)
    bound = min(end, position + max_bytes)
    for match in _LINES.finditer(raw, position, end):
        position = match.end()
        which = match.lastindex
        if which == 2:
            fields.append(HeaderField(match[1].lower(), match.start(), match.end(2), position))
            if position < bound and len(fields) < max_fields:
                continue
            if position == end:
                break
        elif which == 3:
            return _header(fields, start, match.start(), position, True, first_junk, defects)
        else:
            if first_junk < 0:
                first_junk = match.start()
                defects.append(Defect.JUNK_LINE_IN_HEADER)
            if position < bound:
                continue
        return _cut_off(raw, fields, start, position, end, max_fields, first_junk, defects)
    return _header(fields, start, position, position, False, first_junk, defects)


def field_value(raw: bytes, field: HeaderField) -> bytes:
    """The unfolded value without surrounding white space (RFC 5322 §2.2.3)."""
    return unfold(raw[field.value_start : field.end])


def unfold(value: bytes) -> bytes:
    """Remove the line ends of folded lines and surrounding white space."""
    value = value.strip()
    return _FOLD.sub(b"", value) if b"\n" in value else value


def _after_mbox_line(raw: bytes, start: int, end: int) -> int:
    """Skip an mbox separator, which is no part of the message though often left in front of it."""
    if start == 0 and raw.startswith((b"From ", b">From ")):
        line_end = raw.find(b"\n", 0, end)
        return end if line_end < 0 else line_end + 1
    return start


def _cut_off(
    raw: bytes,
    fields: list[HeaderField],
    start: int,
    position: int,
    end: int,
    max_fields: int,
    first_junk: int,
    defects: list[Defect],
) -> Header:
    """The header goes on beyond a bound: only find where it ends."""
    too_many = len(fields) >= max_fields
    blank = _BLANK_LINE.search(raw, position - 1, end)
    if blank is None:
        header_end = body_start = end
    else:
        header_end, body_start = blank.start() + 1, blank.end()
    if header_end > position:
        defects.append(Defect.TOO_MANY_FIELDS if too_many else Defect.HEADER_TOO_LARGE)
    return _header(fields, start, header_end, body_start, blank is not None, first_junk, defects)


def _header(
    fields: list[HeaderField],
    start: int,
    header_end: int,
    body_start: int,
    terminated: bool,
    first_junk: int,
    defects: list[Defect],
) -> Header:
    return Header(
        fields=tuple(fields),
        start=start,
        header_end=header_end,
        body_start=body_start,
        terminated=terminated,
        first_junk=first_junk,
        defects=tuple(defects),
    )
