"""The MIME tree of a message as spans into its octets.

Cuts top down: a multipart is cut at its own delimiter lines, each piece is looked at by itself, so
that the inner never reaches beyond the outer. Decodes no body (`decode`) and repairs nothing.

**Standards:** RFC 2046 §5.1 (multipart), §5.2 (message), RFC 1847, RFC 3156, RFC 8551 (protection),
RFC 9051 §6.4.5 (section numbers; the unnumbered multipart of the message is '', that of a message
within part 2 is `2.TEXT`).
**Failure:** never raises because of content. Depth, parts, fields and scanned octets are bounded;
what lies beyond a bound stays one part that is marked with a `Defect`.
"""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from milter.mail.message import Header, field_value, scan_header
from milter.mail.reading import Defect, Part, Protection
from milter.read.decode import IDENTITY_ENCODINGS
from milter.read.parameters import MAX_VALUE_BYTES, Parameters, parse_parameters

MAX_DEPTH = 100
MAX_PARTS = 2_000
MAX_PART_FIELDS = 200
MAX_PART_HEADER_BYTES = 64_000

# How often the octets of a message may be gone over to find delimiters of nested multiparts.
_MAX_PASSES = 20
_FREE_OCTETS = 20_000_000
# So many lines that only look like delimiters make an expression for this boundary worth its while.
_MAX_FALSE_DELIMITERS = 256

# RFC 2046 §5.1.1: only white space may follow a delimiter on its line.
_DELIMITER_TAIL = rb"(--)?[ \t]*+(?:\r?\n|\r?\Z)"
_TAIL = re.compile(_DELIMITER_TAIL)
_MEDIA_TYPE = re.compile(r"[!-.0-~]++/[!-.0-~]++")
_OWN_FIELDS = frozenset({b"content-type", b"content-transfer-encoding", b"content-disposition"})
_DEFAULT_TYPE = "text/plain"
_MESSAGES = frozenset({"message/rfc822", "message/global", "message/news"})
_PKCS7 = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part with what else the reader needs to know of it.

    `parent` is an index into the nodes of the tree (-1 for the root). `in_message` is True inside
    an embedded message.
    """

    part: Part
    header: Header
    parameters: Parameters
    parent: int
    is_leaf: bool
    in_message: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """All nodes in document order, containers before what they contain; the root is first."""

    nodes: tuple[Node, ...]
    defects: tuple[Defect, ...]

    @property
    def leaves(self) -> Iterator[Node]:
        """The nodes that hold content."""
        return (node for node in self.nodes if node.is_leaf)


class _Delimiter(NamedTuple):
    """One delimiter line: `start` after the line end before it, `end` after its own line end."""

    start: int
    end: int
    is_close: bool


class _Content(NamedTuple):
    """What the header of a part says about its content."""

    media_type: str
    parameters: Parameters
    encoding: str
    disposition: str
    filename: str
    is_ambiguous: bool


def scan_message(
    raw: bytes, *, max_depth: int = MAX_DEPTH, max_parts: int = MAX_PARTS, digests: bool = True
) -> Tree:
    """The tree of a message; `digests` asks for the SHA-256 of each leaf."""
    scanner = _Scanner(raw, max_depth, max_parts, digests)
    scanner.scan_root()
    return Tree(nodes=tuple(scanner.nodes), defects=tuple(scanner.defects))


# Stands in the list for a container until what it contains has been scanned.
_PENDING = Node(
    part=Part(
        path="", media_type="", charset="", encoding="", disposition="", filename="",
        start=0, body_start=0, body_end=0,
    ),
    header=scan_header(b""), parameters={}, parent=-1, is_leaf=True, in_message=False,
)  # fmt: skip


class _Place(NamedTuple):
    """Where an entity stands: its number, what it stands in, and what it takes over from there.

    `is_top` marks the message itself and the message within a message part.
    """

    number: str = ""
    is_top: bool = True
    parent: int = -1
    depth: int = 0
    default_type: str = _DEFAULT_TYPE
    protection: Protection = Protection.NONE
    in_message: bool = False

    def path(self, *, is_container: bool) -> str:
        """The IMAP section number; only what stands on top has none of its own."""
        if not self.is_top:
            return self.number
        if is_container:
            return f"{self.number}.TEXT" if self.number else ""
        return f"{self.number}.1" if self.number else "1"

    def child(self, count: int) -> str:
        """The number of a part of this multipart."""
        return f"{self.number}.{count}" if self.number else str(count)


class _Scanner:
    """The state of one scan: the nodes so far and the defects of all of them in order."""

    def __init__(self, raw: bytes, max_depth: int, max_parts: int, digests: bool) -> None:
        self.raw = raw
        self.nodes: list[Node] = []
        self.defects: dict[Defect, None] = {}
        self._max_depth = max_depth
        self._max_parts = max_parts
        self._digests = digests
        self._octets_left = _MAX_PASSES * len(raw) + _FREE_OCTETS

    def scan_root(self) -> None:
        """Scan the whole message."""
        self._entity(scan_header(self.raw), len(self.raw), _Place())

    def _entity(self, header: Header, stop: int, place: _Place) -> None:
        """One message or part and all within it."""
        content = _content(self.raw, header, place.default_type)
        defects = list(header.defects)
        if content.is_ambiguous:
            defects.append(Defect.DUPLICATE_FIELD)
        index = len(self.nodes)
        self.nodes.append(_PENDING)
        body_start = header.body_start
        protection = _protection(content) or place.protection
        is_multipart = content.media_type.startswith("multipart/")
        children = 0
        if is_multipart or (
            content.media_type in _MESSAGES and content.encoding in IDENTITY_ENCODINGS
        ):
            within = _Place(
                number=place.number if is_multipart else place.path(is_container=False),
                is_top=not is_multipart,
                parent=index,
                depth=place.depth + 1,
                protection=protection,
                in_message=place.in_message or not is_multipart,
            )
            if place.depth >= self._max_depth or not self._afford(stop - body_start):
                defects.append(Defect.TOO_DEEP)
            elif is_multipart:
                children = self._multipart(content, body_start, stop, within, defects)
            else:
                children = self._embedded(body_start, stop, within)
        digest = ""
        if self._digests and not children:
            digest = hashlib.sha256(self.raw[body_start:stop]).hexdigest()
        part = Part(
            path=place.path(is_container=is_multipart and bool(children)),
            media_type=content.media_type,
            charset=content.parameters.get("charset", "").strip("'\" ").lower(),
            encoding=content.encoding,
            disposition=content.disposition,
            filename=content.filename,
            start=header.start,
            body_start=body_start,
            body_end=stop,
            digest=digest,
            protection=protection,
            defects=tuple(defects),
        )
        self.nodes[index] = Node(
            part=part,
            header=header,
            parameters=content.parameters,
            parent=place.parent,
            is_leaf=not children,
            in_message=place.in_message,
        )
        self.defects.update(dict.fromkeys(defects))

    def _multipart(
        self, content: _Content, start: int, stop: int, within: _Place, defects: list[Defect]
    ) -> int:
        boundary = content.parameters.get("boundary", "").rstrip().encode("utf-8", "replace")
        if not boundary:
            defects.append(Defect.MISSING_BOUNDARY)
            return 0
        if content.media_type == "multipart/digest":
            within = within._replace(default_type="message/rfc822")
        count = 0
        for part_start, part_stop in self._pieces(boundary, start, stop, defects):
            if len(self.nodes) >= self._max_parts:
                defects.append(Defect.TOO_MANY_PARTS)
                break
            count += 1
            place = within._replace(number=within.child(count))
            self._entity(self._part_header(part_start, part_stop), part_stop, place)
        if not count and Defect.MISSING_BOUNDARY not in defects:
            defects.append(Defect.EMPTY_MULTIPART)
        return count

    def _embedded(self, start: int, stop: int, within: _Place) -> int:
        if len(self.nodes) >= self._max_parts:
            return 0
        self._entity(self._part_header(start, stop), stop, within)
        return 1

    def _part_header(self, start: int, stop: int) -> Header:
        return scan_header(
            self.raw,
            start=start,
            stop=stop,
            max_fields=MAX_PART_FIELDS,
            max_bytes=MAX_PART_HEADER_BYTES,
        )

    def _pieces(
        self, boundary: bytes, start: int, stop: int, defects: list[Defect]
    ) -> Iterator[tuple[int, int]]:
        """Cut a multipart body at its delimiters, until the close delimiter or its end."""
        raw = self.raw
        needle = b"\n--" + boundary
        delimiter = _first_delimiter(raw, needle, start, stop)
        if delimiter is None:
            defects.append(Defect.MISSING_BOUNDARY)
            return
        while not delimiter.is_close:
            begin = delimiter.end
            following = _find_delimiter(raw, needle, begin - 1, stop)
            if following is None:
                defects.append(Defect.UNTERMINATED_MULTIPART)
                if begin < stop:
                    yield begin, stop
                return
            # RFC 2046 §5.1.1: the line end before a delimiter belongs to the delimiter.
            end = following.start - 1
            if end > begin and raw[end - 1] == 0x0D:
                end -= 1
            yield begin, max(begin, end)
            delimiter = following

    def _afford(self, octets: int) -> bool:
        self._octets_left -= octets
        return self._octets_left >= 0


def _first_delimiter(raw: bytes, needle: bytes, start: int, stop: int) -> _Delimiter | None:
    if raw.startswith(needle[1:], start, stop):
        tail = _TAIL.match(raw, start + len(needle) - 1, stop)
        if tail:
            return _Delimiter(start, tail.end(), tail[1] is not None)
    return _find_delimiter(raw, needle, start, stop)


def _find_delimiter(raw: bytes, needle: bytes, position: int, stop: int) -> _Delimiter | None:
    """The next line that is the delimiter and nothing more, at or after `position`."""
    for _ in range(_MAX_FALSE_DELIMITERS):
        found = raw.find(needle, position, stop)
        if found < 0:
            return None
        position = found + len(needle)
        tail = _TAIL.match(raw, position, stop)
        if tail:
            return _Delimiter(found + 1, tail.end(), tail[1] is not None)
    match = re.compile(re.escape(needle) + _DELIMITER_TAIL).search(raw, position, stop)
    return _Delimiter(match.start() + 1, match.end(), match[1] is not None) if match else None


def _content(raw: bytes, header: Header, default_type: str) -> _Content:
    values: dict[bytes, bytes] = {}
    is_ambiguous = False
    for field in header.fields:
        if field.name in _OWN_FIELDS:
            bounded = field._replace(end=min(field.end, field.value_start + MAX_VALUE_BYTES))
            value = field_value(raw, bounded)
            # Said twice in the same words it is no less clear.
            is_ambiguous = is_ambiguous or values.setdefault(field.name, value) != value
    media_type, parameters = parse_parameters(values.get(b"content-type", b""))
    if not _MEDIA_TYPE.fullmatch(media_type):
        # RFC 2045 §5.2; a bare "text" is what old agents write for text/plain.
        media_type = default_type if not values.get(b"content-type") else _DEFAULT_TYPE
    encoding, _ = parse_parameters(values.get(b"content-transfer-encoding", b""))
    disposition, more = parse_parameters(values.get(b"content-disposition", b""))
    filename = more.get("filename") or parameters.get("name") or ""
    return _Content(
        media_type, parameters, encoding.strip('"'), disposition, filename[:255], is_ambiguous
    )


def _protection(content: _Content) -> Protection | None:
    if content.media_type == "multipart/signed":
        return Protection.SIGNED
    if content.media_type == "multipart/encrypted":
        return Protection.ENCRYPTED
    if content.media_type in _PKCS7:
        kind = content.parameters.get("smime-type", "").lower()
        is_signed = kind == "signed-data" or content.filename.lower().endswith(".p7s")
        return Protection.SIGNED if is_signed else Protection.ENCRYPTED
    return None
