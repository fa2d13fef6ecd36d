"""One message read: the only entrance to `read` for the rest of the gateway.

Puts together the MIME tree, header facts, trusted authentication results, text with its sources,
links, what attachments and images carry (`carried`) and edit sites. Asks no questions (`check`);
what was not looked into is named in `uninspected`.

**Standards:** design rules 2 (text-only mode), 11 (protected parts), 12 and 13.
**Failure:** never raises because of content; defects say what is wrong with the form. In text-only
mode no HTML tree is built and no attachment read.
"""

import time
from dataclasses import dataclass, replace

from milter.mail.finding import Source
from milter.mail.message import Header
from milter.mail.reading import (
    AuthResult,
    Defect,
    EditSite,
    Facts,
    HeaderFacts,
    Link,
    Part,
    PlatformNotice,
    Protection,
    Segment,
)
from milter.read.attachments import Attachments, read_attachments
from milter.read.authentication import read_authentication
from milter.read.carried.carrier import Carried
from milter.read.decode import decode_charset, decode_transfer, lf_lines
from milter.read.edit_sites import find_edit_sites
from milter.read.facts import read_facts
from milter.read.leaf_text import LeafText, read_leaf
from milter.read.mime import Node, Tree, scan_message
from milter.read.notices.recognise import notice_of
from milter.read.twins import without_twins

MAX_SEGMENT_CHARS = 600_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadResult:
    """All that reading gives; `examine` adds the language and makes a `Reading` of it.

    `names` are the display names of the header, for masking. `hidden` is text that the sender
    hides from the eye; each such run is a segment of its own whose offsets count in itself.
    """

    header: HeaderFacts
    parts: tuple[Part, ...]
    protection: Protection
    defects: tuple[Defect, ...]
    segments: tuple[Segment, ...]
    hidden: tuple[Segment, ...]
    links: tuple[Link, ...]
    file_names: tuple[str, ...]
    names: tuple[str, ...]
    auth_results: tuple[AuthResult, ...]
    forged_auth_fields: int
    edit_sites: tuple[EditSite, ...]
    unsafe_to_edit: str
    notice: PlatformNotice | None
    uninspected: tuple[str, ...]
    text_only: bool
    elapsed_seconds: tuple[tuple[str, float], ...]


def read_message(raw: bytes, facts: Facts) -> ReadResult:
    """Read one message; same octets and facts give the same result but for the times.

    Only where the attachments want more time than `budget` allows, less of them is read.
    """
    clock = _Stopwatch()
    tree = scan_message(raw, digests=facts.wants_text)
    clock.lap("mime")
    root = tree.nodes[0].header
    header, header_defects = read_facts(raw, root)
    authentication = read_authentication(raw, root, facts)
    clock.lap("header")
    reader = _Reader(raw, tree, facts)
    texts = reader.read_texts()
    segments = [Segment(source=Source.SUBJECT, part="", text=header.subject)]
    segments.extend(_header_text(raw, root))
    segments.extend(segment for text in texts for segment in text.segments(facts.banner_key))
    clock.lap("text")
    attached = reader.read_attachments(texts)
    segments.extend(segment for each in attached.carried for segment in each.segments)
    clock.lap("carried")
    said: tuple[LeafText | Carried, ...] = (*texts, *attached.carried)
    sites, unsafe = find_edit_sites(raw, tree, reader.octets, pgp_parts=frozenset(reader.pgp_parts))
    clock.lap("edit_sites")
    octet_defects = _octet_defects(raw, facts)
    defects = dict.fromkeys([*tree.defects, *header_defects, *reader.defects, *octet_defects])
    return ReadResult(
        header=header,
        parts=reader.parts(),
        protection=reader.protection(),
        defects=tuple(defects),
        segments=tuple(segment for segment in segments if segment.text),
        hidden=tuple(segment for each in said for segment in each.hidden),
        links=tuple(link for each in said for link in each.links),
        file_names=_file_names(tree, attached),
        names=_names(header),
        auth_results=authentication.results,
        forged_auth_fields=authentication.forged_fields,
        edit_sites=sites,
        unsafe_to_edit=unsafe,
        notice=notice_of(raw, root, header, texts),
        uninspected=attached.uninspected,
        text_only=facts.text_only,
        elapsed_seconds=clock.laps(),
    )


class _Reader:
    """The leaves of one message, each decoded once."""

    def __init__(self, raw: bytes, tree: Tree, facts: Facts) -> None:
        self.raw = raw
        self.tree = tree
        self.text_only = facts.text_only
        self.banner_key = facts.banner_key
        self.defects: dict[Defect, None] = {}
        self.part_defects: dict[str, list[Defect]] = {}
        self.pgp_parts: dict[str, None] = {}
        self._opaque: list[Node] = []
        self._chars_left = MAX_SEGMENT_CHARS
        self._octets: dict[int, tuple[bytes, Defect | None]] = {}

    def octets(self, node: Node) -> tuple[bytes, Defect | None]:
        """The octets of a leaf without transfer encoding."""
        key = id(node)
        if key not in self._octets:
            body = self.raw[node.part.body_start : node.part.body_end]
            self._octets[key] = decode_transfer(body, node.part.encoding)
        return self._octets[key]

    def read_texts(self) -> list[LeafText]:
        """The text of all leaves that hold any, without twins of each other."""
        texts: list[LeafText] = []
        for node in self.tree.leaves:
            part = node.part
            text = (
                read_leaf(node, self.octets, banner_key=self.banner_key, text_only=self.text_only)
                if self._chars_left > 0
                else None
            )
            if text is None:
                if part.body_end > part.body_start:
                    self._opaque.append(node)
                continue
            self._chars_left -= len(text.text)
            self._note(part.path, text)
            texts.append(text)
        return without_twins(self.tree, texts)

    def read_attachments(self, texts: list[LeafText]) -> Attachments:
        """What the other leaves say; in text-only mode none of them is opened."""
        if self.text_only:
            return Attachments(uninspected=tuple(node.part.path for node in self._opaque))
        attached = read_attachments(
            self.raw, self._opaque, texts, banner_key=self.banner_key, chars=self._chars_left
        )
        for carried in attached.carried:
            self.defects.update(dict.fromkeys(carried.defects))
        return attached

    def parts(self) -> tuple[Part, ...]:
        """The parts with what only decoding could show."""
        return tuple(self._completed(node.part) for node in self.tree.nodes)

    def protection(self) -> Protection:
        """That of the message: of its root, else the strongest of any part of it."""
        found = {node.part.protection for node in self.tree.nodes if not node.in_message}
        if self.pgp_parts:
            found.add(Protection.INLINE_PGP)
        order = (Protection.ENCRYPTED, Protection.SIGNED, Protection.INLINE_PGP)
        return next((kind for kind in order if kind in found), Protection.NONE)

    def _completed(self, part: Part) -> Part:
        more = self.part_defects.get(part.path)
        if more:
            part = replace(part, defects=tuple(dict.fromkeys([*part.defects, *more])))
        if part.path in self.pgp_parts and part.protection is Protection.NONE:
            part = replace(part, protection=Protection.INLINE_PGP)
        return part

    def _note(self, path: str, text: LeafText) -> None:
        if text.defects:
            self.part_defects[path] = list(text.defects)
            self.defects.update(dict.fromkeys(text.defects))
        if text.has_pgp:
            self.pgp_parts[path] = None


class _Stopwatch:
    """Seconds per stage."""

    def __init__(self) -> None:
        self._last = time.perf_counter()
        self._laps: list[tuple[str, float]] = []

    def lap(self, stage: str) -> None:
        """End a stage."""
        now = time.perf_counter()
        self._laps.append((stage, now - self._last))
        self._last = now

    def laps(self) -> tuple[tuple[str, float], ...]:
        """All stages so far, in order."""
        return tuple(self._laps)


def _header_text(raw: bytes, root: Header) -> list[Segment]:
    """Lines in the header that are no fields: some receivers show them as the body."""
    if root.first_junk < 0:
        return []
    junk = raw[root.first_junk : min(root.header_end, root.first_junk + 50_000)]
    return [Segment(source=Source.BODY, part="", text=lf_lines(decode_charset(junk, "")[0]))]


def _octet_defects(raw: bytes, facts: Facts) -> list[Defect]:
    defects: list[Defect] = []
    if b"\0" in raw:
        defects.append(Defect.NUL_OCTET)
    pairs = 0 if facts.lines_checked else raw.count(b"\r\n")
    if pairs and (raw.count(b"\n") != pairs or raw.count(b"\r") != pairs):
        defects.append(Defect.BARE_LINE_END)
    return defects


def _file_names(tree: Tree, attached: Attachments) -> tuple[str, ...]:
    """What attachments are called, and the files within them."""
    own = (node.part.filename for node in tree.leaves)
    within = (name for carried in attached.carried for name in carried.file_names)
    return tuple(name for name in (*own, *within) if name)


def _names(header: HeaderFacts) -> tuple[str, ...]:
    mailboxes = (*header.header_from, *header.reply_to, *header.to[:50])
    return tuple(dict.fromkeys(box.display_name for box in mailboxes if box.display_name))
