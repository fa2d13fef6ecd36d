"""The text of one leaf of the MIME tree, cut into segments by source.

Reads text/plain, text/html, calendar, card and other text; everything else (None), also what is
only declared to be text, is for `carried`. Offsets of all segments of a part count in one decoded
text: for HTML that is the visible text with LF line ends, for calendars and cards their readable
text.

**Standards:** RFC 2046 §4.1, RFC 5545 (calendar), RFC 6350 (card), RFC 4880 §6.2 (PGP armor).
**Failure:** never raises because of content.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from milter.mail.finding import Source
from milter.mail.reading import Defect, Link, Part, Segment
from milter.read.carried.cards import is_card, read_card
from milter.read.carried.data_uris import images_in
from milter.read.carried.kinds import HEAD_OCTETS, Kind, magic_kind
from milter.read.decode import decode_charset, lf_lines, meta_charset
from milter.read.html import read_html
from milter.read.mime import Node
from milter.read.own_banner import without_own_banners
from milter.read.text import Run, split_text

MAX_TEXT_CHARS = 200_000
MAX_HTML_CHARS = 2_000_000
# Quoted-printable makes three octets of one, UTF-8 four of one character.
_MOST_OCTETS_PER_CHAR = 4

_CALENDAR = frozenset({"text/calendar", "application/ics"})
_CARD = frozenset({"text/vcard", "text/x-vcard", "text/directory"})
_RICH_TEXT = frozenset({"text/rtf", "text/richtext"})
_SHOWN_AS_TEXT = frozenset({"message/delivery-status", "message/disposition-notification"})
_PGP_BEGIN = "-----BEGIN PGP "
_PGP_BLOCK = re.compile(r"^-----BEGIN PGP (?:SIGNED )?MESSAGE-----", re.MULTILINE)

Decode = Callable[[Node], tuple[bytes, Defect | None]]
Spans = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeafText:
    """What one leaf says. `source` is None for text of the message itself, which is to be split.

    The spans are what HTML told apart (see `HtmlText`). `images` are the octets of those that HTML
    holds in itself.
    """

    part: str
    text: str
    source: Source | None
    quoted: Spans = ()
    indented: Spans = ()
    signed: Spans = ()
    hidden: tuple[Segment, ...] = ()
    links: tuple[Link, ...] = ()
    images: tuple[bytes, ...] = ()
    defects: tuple[Defect, ...] = ()
    is_html: bool = False
    has_pgp: bool = False

    def segments(self, banner_key: bytes) -> tuple[Segment, ...]:
        """The text cut by source, without our own banners."""
        text = self.text
        runs: Sequence[Run] = ((self.source or Source.BODY, 0, len(text)),)
        if self.source is None:
            runs = split_text(text, quoted=self.quoted, indented=self.indented, signed=self.signed)
        return tuple(
            Segment(source=source, part=self.part, text=said, base=start)
            for source, start, end in without_own_banners(text, runs, banner_key)
            if not (said := text[start:end]).isspace() and said
        )


def read_leaf(
    node: Node, octets_of: Decode, *, banner_key: bytes, text_only: bool
) -> LeafText | None:
    """Read one leaf; None if it is not text."""
    part = node.part
    kind = part.media_type
    is_text = kind.startswith("text/") or kind in _SHOWN_AS_TEXT or kind in _CALENDAR
    # A multipart that could not be cut is shown by many programs as the text it is.
    is_text = is_text or kind.startswith("multipart/")
    if not is_text or kind in _RICH_TEXT:
        return None
    is_main = kind in {"text/plain", "text/html"} and part.disposition != "attachment"
    if text_only and not is_main and not kind.startswith("multipart/"):
        return None
    octets, transfer_defect = octets_of(node)
    if part.filename and _is_no_text(octets):
        return None
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
    source = _whole_source(part, node)
    if not is_html:
        text = lf_lines(decoded)
        links: tuple[Link, ...] = ()
        if source is not None and (part.media_type in _CALENDAR | _CARD or is_card(text)):
            card = read_card(text)
            source = card.source if is_card(text) else source
            text = card.text
            links = tuple(Link(target=target, shown="", part=part.path) for target in card.targets)
        text = _bounded(text, defects)
        has_pgp = source is None and _PGP_BEGIN in text and _PGP_BLOCK.search(text) is not None
        return LeafText(
            part=part.path,
            text=text,
            source=source,
            links=links,
            defects=tuple(defects),
            has_pgp=has_pgp,
        )
    read = read_html(decoded, part=part.path, banner_key=banner_key, text_only=text_only)
    if read.defect:
        defects.append(read.defect)
    return LeafText(
        part=part.path,
        text=_bounded(read.text, defects),
        source=source,
        quoted=read.quoted,
        indented=read.indented,
        signed=read.signed,
        hidden=tuple(
            Segment(source=source or Source.BODY, part=part.path, text=hidden)
            for hidden in read.hidden
        ),
        links=read.links,
        images=() if text_only else images_in(decoded),
        defects=tuple(defects),
        is_html=True,
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


def _is_no_text(octets: bytes) -> bool:
    """Is this a file of another format under the name of text?"""
    kind = magic_kind(octets[:HEAD_OCTETS])
    return kind is Kind.RTF or (kind is not None and b"\0" in octets)


def _bounded(text: str, defects: list[Defect]) -> str:
    if len(text) <= MAX_TEXT_CHARS:
        return text
    if Defect.TEXT_TRUNCATED not in defects:
        defects.append(Defect.TEXT_TRUNCATED)
    return text[:MAX_TEXT_CHARS]
