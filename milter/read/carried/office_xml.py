"""The words and links in the XML of office files, read as a stream by expat.

Knows elements by their local names, which the two families share or do not confuse. A document
type declaration is refused: no office file has one, and entities are declared there.

**Standards:** ECMA-376 part 1 (§17.16 fields and links, §18.3.1.40 and .47, §21.1.2.3), ODF 1.3.
**Failure:** `Refused` for what is not well-formed or declares a document type; what came before it
is kept.
"""

import re
from collections.abc import Iterable, Iterator
from xml.parsers import expat

from milter.read.carried.carrier import with_fragment

MAX_CHARS = 100_000
_MAX_RELATIONS = 2_000
_HYPERLINK = re.compile(r"HYPERLINK\s*\(?\s*\"([^\"]{1,2000})\"(?:\s*[,;]\s*\"([^\"]{1,300})\")?")
# What stands behind the "#" of a link is kept apart.
_FRAGMENT = re.compile(r"\\l\s+\"([^\"]{1,500})\"")
_BREAKS = frozenset({"p", "h", "si", "is", "br", "cr", "line-break", "row", "tr"})
_SPACES = frozenset({"tab", "s", "tc", "c", "table-cell"})
_FIELDS = frozenset({"instrText", "f"})


class Refused(Exception):
    """XML that is not read any further."""


class Words:
    """What one XML part says.

    `shown` is the text of links by relation, `fragments` where in the target they lead; of
    `targets` the part itself names the target.
    """

    def __init__(self, *, is_open_document: bool) -> None:
        self._holders = frozenset({"p", "h"}) if is_open_document else frozenset({"t"})
        self._pieces: list[str] = []
        self._chars = 0
        self._held = 0
        self._field: list[str] = []
        self._in_field = False
        self._relation = ""
        self._target = ""
        self._link_text: list[str] = []
        self.shown: dict[str, str] = {}
        self.fragments: dict[str, str] = {}
        self.targets: list[tuple[str, str]] = []

    @property
    def is_full(self) -> bool:
        """More than this nobody reads."""
        return self._chars > MAX_CHARS

    def text(self) -> str:
        """The words, a line a paragraph."""
        self._end_field()
        lines = ("".join(self._pieces)).split("\n")
        return "\n".join(line for line in (" ".join(line.split()) for line in lines) if line)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        local = name.rpartition(":")[2]
        if local in self._holders:
            self._held += 1
        elif local in _FIELDS:
            self._in_field = True
        elif local == "fldSimple":
            self._field.append(_attribute(attributes, "instr"))
        elif local in ("hyperlink", "hlinkClick", "hlinkHover"):
            self._relation = _attribute(attributes, "id")
            self._link_text = []
            if display := _attribute(attributes, "display"):
                self.shown[self._relation] = display
            if fragment := _attribute(attributes, "anchor") or _attribute(attributes, "location"):
                self.fragments[self._relation] = fragment
        elif local == "a" and (target := _attribute(attributes, "href")):
            self._target = target
            self._link_text = []

    def end(self, name: str) -> None:
        """An element ends."""
        local = name.rpartition(":")[2]
        if local in self._holders and self._held:
            self._held -= 1
        elif local in _FIELDS:
            self._in_field = False
        if local in ("p", "f"):
            self._end_field()
        if self._target and local == "a":
            self.targets.append((self._target, "".join(self._link_text)))
            self._target = ""
        elif self._relation and self._link_text and local in ("hyperlink", "r"):
            # A run of PowerPoint holds its link, a link of Word holds its runs.
            self.shown[self._relation] = "".join(self._link_text)
            if local == "hyperlink":
                self._relation = ""
        if local in _BREAKS:
            self._pieces.append("\n")
        elif local in _SPACES:
            self._pieces.append(" ")

    def characters(self, data: str) -> None:
        """Character data."""
        if self._in_field:
            self._field.append(data)
        elif self._held and not self.is_full:
            self._pieces.append(data)
            self._chars += len(data)
            if self._relation or self._target:
                self._link_text.append(data)

    def _end_field(self) -> None:
        if self._field:
            instruction = "".join(self._field)[:4_000]
            found = _FRAGMENT.search(instruction)
            for target, shown in _HYPERLINK.findall(instruction):
                self.targets.append((with_fragment(target, found[1] if found else ""), shown))
            self._field = []


def read_words(chunks: Iterable[bytes], words: Words) -> Iterator[None]:
    """Read XML into `words`, one step a chunk."""
    parser = _parser()
    parser.StartElementHandler = words.start
    parser.EndElementHandler = words.end
    parser.CharacterDataHandler = words.characters
    for _ in _fed(parser, chunks):
        if words.is_full:
            raise Refused
        yield


def read_types(chunks: Iterable[bytes]) -> list[tuple[str, str]]:
    """The parts that a package names, each with its type."""
    found: list[tuple[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if name.rpartition(":")[2] == "Override":
            part = attributes.get("PartName", "").removeprefix("/")
            found.append((part, attributes.get("ContentType", "")))

    parser = _parser()
    parser.StartElementHandler = start
    for _ in _fed(parser, chunks):
        pass
    return found


def read_relations(chunks: Iterable[bytes]) -> list[tuple[str, str]]:
    """The external hyperlinks of a part: identifier and target."""
    found: list[tuple[str, str]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        if (
            len(found) < _MAX_RELATIONS
            and name.rpartition(":")[2] == "Relationship"
            and attributes.get("TargetMode", "").lower() == "external"
            and attributes.get("Type", "").lower().endswith("/hyperlink")
        ):
            found.append((attributes.get("Id", ""), attributes.get("Target", "")))

    parser = _parser()
    parser.StartElementHandler = start
    for _ in _fed(parser, chunks):
        pass
    return found


def _parser() -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse
    return parser


def _refuse(*_: object) -> None:
    raise Refused


def _fed(parser: expat.XMLParserType, chunks: Iterable[bytes]) -> Iterator[None]:
    try:
        for chunk in chunks:
            parser.Parse(chunk, False)
            yield
        parser.Parse(b"", True)
    except (expat.ExpatError, ValueError, LookupError):
        raise Refused from None


def _attribute(attributes: dict[str, str], local: str) -> str:
    return next((v for k, v in attributes.items() if k.rpartition(":")[2] == local), "")
