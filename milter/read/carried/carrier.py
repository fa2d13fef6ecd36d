"""One attachment while it is read: what it has said so far, and what it may still cost.

Format modules tell a carrier what they find and what they had to leave out. A link whose shown
text does not stand in the text of the carrier is written into it, so that whoever looks for
contacts sees at once that it came with an attachment and not in the mail itself.

Failure: text and links beyond the bounds are left out, which is said.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from milter.mail.finding import Source
from milter.mail.reading import Defect, Link, Segment
from milter.read.carried.budget import Budget

MAX_CHARS = 100_000
MAX_LINKS = 200
_MAX_TARGET_CHARS = 4_000
_MAX_SHOWN_CHARS = 500
MAX_NAMES = 100
_MAX_NAME_CHARS = 255
_PATH_SIGN = re.compile(r"[/\\]")
# Whoever looks for contacts reads so much of one segment.
_SEGMENT_CHARS = 25_000

_ORDER = (Source.ATTACHMENT, Source.QUOTED, Source.ICS, Source.VCARD, Source.QR)


def with_fragment(target: str, fragment: str) -> str:
    """A target with what stands behind its "#", where a program keeps that apart."""
    return f"{target}#{fragment}" if fragment and "#" not in target else target


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """What one part said. `complete` is False if something of it was not looked into.

    `file_names` are those of the files within, if it is an archive or a mail.
    """

    part: str
    segments: tuple[Segment, ...] = ()
    hidden: tuple[Segment, ...] = ()
    links: tuple[Link, ...] = ()
    defects: tuple[Defect, ...] = ()
    complete: bool = True
    file_names: tuple[str, ...] = ()


@dataclass(slots=True, kw_only=True)
class Carrier:
    """The part at `part` being read. `source` is what its plain text counts as.

    `open_inner` reads a file within this one: its octets, declared type and name. `filename` is the
    name of the file that is being read, at whatever depth.
    """

    part: str
    source: Source
    budget: Budget
    banner_key: bytes = b""
    open_inner: Callable[["Carrier", bytes, str, str], None] = field(repr=False)
    depth: int = 0
    filename: str = ""
    complete: bool = True
    _texts: dict[Source, list[str]] = field(default_factory=dict)
    _hidden: list[str] = field(default_factory=list)
    _links: dict[Link, None] = field(default_factory=dict)
    _chars: int = 0
    _defects: dict[Defect, None] = field(default_factory=dict)
    _names: dict[str, None] = field(default_factory=dict)

    def say(self, text: str, source: Source | None = None) -> None:
        """Text that a reader of the attachment would see."""
        text = text.strip()
        if text := self._afforded(text):
            self._texts.setdefault(source or self.source, []).append(text)

    def conceal(self, text: str) -> None:
        """Text that the attachment hides from the eye."""
        if text := self._afforded(text):
            self._hidden.append(text)

    def link(self, target: str, shown: str = "", *, visible: bool = True) -> None:
        """Where the attachment leads, and the text that leads there."""
        target = target.strip()[:_MAX_TARGET_CHARS]
        if not target or target[0] == "#":
            return
        if len(self._links) >= MAX_LINKS:
            self.miss()
            return
        shown = " ".join(shown.split())[:_MAX_SHOWN_CHARS]
        self._links[Link(target=target, shown=shown, part=self.part, visible=visible)] = None

    def code(self, payload: str) -> None:
        """The payload of a QR code."""
        said = self._texts.setdefault(Source.QR, [])
        if payload.strip() and payload.strip() not in said:
            self.say(payload, Source.QR)

    def file_name(self, name: str) -> None:
        """What a file within this one is called, for whoever looks into it."""
        # The ending tells most.
        name = _PATH_SIGN.split(name)[-1].strip()[-_MAX_NAME_CHARS:]
        if name and len(self._names) < MAX_NAMES:
            self._names[name] = None

    def miss(self, defect: Defect | None = None) -> None:
        """Something of this attachment was not looked into."""
        self.complete = False
        if defect is not None:
            self._defects[defect] = None

    def apart(self) -> "Carrier":
        """Another carrier of the same part, that was told nothing yet."""
        return Carrier(
            part=self.part,
            source=self.source,
            budget=self.budget,
            banner_key=self.banner_key,
            open_inner=self.open_inner,
            depth=self.depth,
        )

    def told(self) -> bytes:
        """What was said so far, to be handed on by `tell`."""
        return json.dumps(
            {
                "texts": self._texts,
                "links": [(link.target, link.shown) for link in self._links],
                "complete": self.complete,
            }
        ).encode()

    def tell(self, told: bytes) -> None:
        """Take over what another carrier was told."""
        table = json.loads(told)
        for source, texts in table["texts"].items():
            for text in texts:
                self.say(text, Source(source))
        for target, shown in table["links"]:
            self.link(target, shown)
        if not table["complete"]:
            self.miss()

    def inner(self, octets: bytes, media_type: str, filename: str) -> None:
        """Read a file within this one."""
        self.open_inner(self, octets, media_type, filename)

    def result(self) -> Carried:
        """All that was said, in segments whose bases count through the whole part."""
        links = tuple(self._placed_links())
        return Carried(
            part=self.part,
            segments=tuple(self._segments()),
            hidden=tuple(
                Segment(source=self.source, part=self.part, text=text) for text in self._hidden
            ),
            links=links,
            defects=tuple(self._defects),
            complete=self.complete,
            file_names=tuple(self._names),
        )

    def _afforded(self, text: str) -> str:
        room = max(0, min(MAX_CHARS - self._chars, self.budget.chars))
        if len(text) > room:
            text = text[:room]
            self.miss(Defect.TEXT_TRUNCATED)
        self._chars += len(text)
        self.budget.chars -= len(text)
        return text

    def _placed_links(self) -> Iterator[Link]:
        said = "\n".join(text for texts in self._texts.values() for text in texts)
        for link in self._links:
            if not link.visible or (link.shown and link.shown in said):
                yield link
                continue
            if link.target not in said:
                self.say(f"{link.shown} {link.target}")
            yield Link(target=link.target, shown=link.target, part=link.part)

    def _segments(self) -> Iterator[Segment]:
        base = 0
        for source in _ORDER:
            text = "\n".join(self._texts.get(source, ()))
            while text:
                end = len(text)
                if end > _SEGMENT_CHARS:
                    end = (
                        text.rfind("\n", _SEGMENT_CHARS // 2, _SEGMENT_CHARS) + 1 or _SEGMENT_CHARS
                    )
                yield Segment(source=source, part=self.part, text=text[:end], base=base)
                text = text[end:]
                base += end
