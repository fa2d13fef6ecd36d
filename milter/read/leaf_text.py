"""The text of one leaf of the MIME tree, cut into segments by source.

Reads text/plain, text/html, calendar, card and other text; everything else is left to later
stages (None). Offsets of all segments of a part count in one decoded text: for HTML that is the
visible text with LF line ends.

**Standards:** RFC 2046 §4.1, RFC 5545 (calendar), RFC 6350 (card), RFC 4880 §6.2 (PGP armor).
**Failure:** never raises because of content.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import islice

from milter.mail.finding import Source
from milter.mail.marker import is_own_banner
from milter.mail.reading import Defect, Link, Part, Segment
from milter.read.decode import decode_charset, lf_lines, meta_charset
from milter.read.html import MAX_MARKED_ELEMENTS, MAX_OWN_BANNER_CHARS, HtmlText, read_html
from milter.read.mime import Node
from milter.read.text import Run, split_text

MAX_TEXT_CHARS = 200_000
MAX_HTML_CHARS = 2_000_000
# Quoted-printable makes three octets of one, UTF-8 four of one character.
_MOST_OCTETS_PER_CHAR = 4

_CALENDAR = frozenset({"text/calendar", "application/ics"})
_CARD = frozenset({"text/vcard", "text/x-vcard", "text/directory"})
_SHOWN_AS_TEXT = frozenset({"message/delivery-status", "message/disposition-notification"})
_PGP_BEGIN = "-----BEGIN PGP "
_PGP_BLOCK = re.compile(r"^-----BEGIN PGP (?:SIGNED )?MESSAGE-----", re.MULTILINE)
_RULE = re.compile(r"[>\s]*={20,}\s*")
_MARKER_LINE = re.compile(r"\[lw:([0-9a-f]{12})\]")

Decode = Callable[[Node], tuple[bytes, Defect | None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafText:
    """What one leaf says; `is_html` and `text` serve to find twins."""

    part: str
    text: str
    segments: tuple[Segment, ...]
    hidden: tuple[Segment, ...] = ()
    links: tuple[Link, ...] = ()
    defects: tuple[Defect, ...] = ()
    is_html: bool = False
    has_pgp: bool = False

    @property
    def chars(self) -> int:
        """How much text there is to analyse."""
        return len(self.text)


def read_leaf(
    node: Node, octets_of: Decode, *, banner_key: bytes, text_only: bool
) -> LeafText | None:
    """Read one leaf; None if it is not text."""
    part = node.part
    kind = part.media_type
    is_text = kind.startswith("text/") or kind in _SHOWN_AS_TEXT or kind in _CALENDAR
    # A multipart that could not be cut is shown by many programs as the text it is.
    is_text = is_text or kind.startswith("multipart/")
    if not is_text:
        return None
    is_main = kind in {"text/plain", "text/html"} and part.disposition != "attachment"
    if text_only and not is_main and not kind.startswith("multipart/"):
        return None
    octets, transfer_defect = octets_of(node)
    defects = [transfer_defect] if transfer_defect else []
    is_html = kind == "text/html"
    most_chars = MAX_HTML_CHARS if is_html else MAX_TEXT_CHARS
    if len(octets) > most_chars * _MOST_OCTETS_PER_CHAR:
        octets = octets[: most_chars * _MOST_OCTETS_PER_CHAR]
        defects.append(Defect.TEXT_TRUNCATED)
    label = part.charset or (meta_charset(octets) if is_html else "")
    decoded, charset_defect = decode_charset(octets, label)
    if charset_defect:
        defects.append(charset_defect)
    if is_html:
        return _html(part, node, decoded, defects, banner_key, text_only)
    return _plain(part, node, lf_lines(decoded), defects, banner_key)


def _html(
    part: Part,
    node: Node,
    html: str,
    defects: list[Defect],
    banner_key: bytes,
    text_only: bool,
) -> LeafText:
    read = read_html(html, part=part.path, banner_key=banner_key, text_only=text_only)
    if read.defect:
        defects.append(read.defect)
    text = _bounded(read.text, defects)
    source = _whole_source(part, node)
    runs = _html_runs(text, read) if source is None else ((source, 0, len(text)),)
    return LeafText(
        part=part.path,
        text=text,
        segments=_segments(part, text, runs, banner_key),
        hidden=tuple(
            Segment(source=source or Source.BODY, part=part.path, text=hidden)
            for hidden in read.hidden
        ),
        links=read.links,
        defects=tuple(defects),
        is_html=True,
    )


def _html_runs(text: str, read: HtmlText) -> tuple[Run, ...]:
    return split_text(text, quoted=read.quoted, indented=read.indented, signed=read.signed)


def _plain(part: Part, node: Node, text: str, defects: list[Defect], banner_key: bytes) -> LeafText:
    text = _bounded(text, defects)
    has_pgp = _PGP_BEGIN in text and _PGP_BLOCK.search(text) is not None
    source = _whole_source(part, node)
    runs = split_text(text) if source is None else ((source, 0, len(text)),)
    return LeafText(
        part=part.path,
        text=text,
        segments=_segments(part, text, runs, banner_key),
        defects=tuple(defects),
        has_pgp=has_pgp and source is None,
    )


def _whole_source(part: Part, node: Node) -> Source | None:
    """The source of a part that is not to be split; None for the text of the message itself."""
    if part.media_type in _CALENDAR:
        return Source.ICS
    if part.media_type in _CARD:
        return Source.VCARD
    if node.in_message:
        # Somebody else's mail inside this one.
        return Source.QUOTED
    is_main = part.media_type in {"text/plain", "text/html"} or part.media_type[:5] != "text/"
    if part.disposition == "attachment" or part.media_type in _SHOWN_AS_TEXT or not is_main:
        return Source.ATTACHMENT
    return None


def _bounded(text: str, defects: list[Defect]) -> str:
    if len(text) <= MAX_TEXT_CHARS:
        return text
    if Defect.TEXT_TRUNCATED not in defects:
        defects.append(Defect.TEXT_TRUNCATED)
    return text[:MAX_TEXT_CHARS]


def _segments(part: Part, text: str, runs: Sequence[Run], banner_key: bytes) -> tuple[Segment, ...]:
    if banner_key and "[lw:" in text:
        runs = _without_own_banner(text, runs, banner_key)
    return tuple(
        Segment(source=source, part=part.path, text=text[start:end], base=start)
        for source, start, end in runs
        if text[start:end].strip()
    )


def _without_own_banner(text: str, runs: Sequence[Run], banner_key: bytes) -> Sequence[Run]:
    """Cut our own text banners out of the runs; they may stand in quoted text too."""
    cuts = _own_banners(text, banner_key)
    kept: list[Run] = []
    for source, start, end in runs:
        for cut_start, cut_end in cuts:
            if cut_end <= start or cut_start >= end:
                continue
            if cut_start > start:
                kept.append((source, start, cut_start))
            start = min(cut_end, end)
        if start < end:
            kept.append((source, start, end))
    return kept


def _own_banners(text: str, banner_key: bytes) -> list[tuple[int, int]]:
    """Whole lines from the first of two rules to a marker below the second that fits the words."""
    spans: list[tuple[int, int]] = []
    floor = 0
    for marker in islice(_MARKER_LINE.finditer(text), MAX_MARKED_ELEMENTS):
        end = text.find("\n", marker.end()) + 1 or len(text)
        rules = _two_rules_above(text, max(floor, end - MAX_OWN_BANNER_CHARS), marker.start())
        if rules is not None:
            first, words_start, words_end = rules
            if is_own_banner(banner_key, marker[1], text[words_start:words_end]):
                spans.append((first, end))
                floor = end
    return spans


def _two_rules_above(text: str, floor: int, position: int) -> tuple[int, int, int] | None:
    """Start of the upper rule, and where the words between both rules begin and end."""
    line_start = text.rfind("\n", floor, position) + 1 or floor
    words_end = -1
    while floor < line_start:
        line_end = line_start - 1
        line_start = text.rfind("\n", floor, line_end) + 1 or floor
        if _RULE.fullmatch(text, line_start, line_end):
            if words_end >= 0:
                return line_start, line_end, words_end
            words_end = line_start
    return None
