"""Text cut into pieces by the evidence in it, and strangers' characters made visible.

Evidence may overlap: a piece names every finding that it belongs to. Evidence that does not stand
where it says (hidden text, a reading that lies) is not highlighted: the ledger quotes it.

Failure: none.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from milter.mail.finding import Evidence, Source
from milter.mail.reading import Segment

# Printable to Unicode, but nothing to the eye: fillers, joiners, selectors.
_UNSEEN = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u2800\u3164\uffa0")
_SELECTORS = ((0xFE00, 0xFE0E), (0xE0100, 0xE01EF))


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A run of text under the same evidence; `ends` are the numbers whose evidence ends here."""

    text: str
    numbers: tuple[int, ...] = ()
    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One segment of the message in pieces; laid end to end they are its text."""

    source: Source
    part: str
    base: int
    pieces: tuple[Piece, ...]

    def offset(self, place: int) -> int:
        """Where a piece begins in the segment."""
        return sum(len(piece.text) for piece in self.pieces[:place])


def passages(
    segments: Sequence[Segment], evidence: Mapping[int, Iterable[Evidence]]
) -> tuple[Passage, ...]:
    """All segments, with the evidence of each numbered finding."""
    return tuple(
        Passage(
            source=segment.source,
            part=segment.part,
            base=segment.base,
            pieces=tuple(_pieces(segment, evidence)),
        )
        for segment in segments
    )


def runs(text: str) -> Iterator[tuple[str, str]]:
    """The text as runs: (text, "") as it stands, or ("", mark) for a character nobody sees."""
    start = 0
    for at, character in enumerate(text):
        if character == "\n" or not is_unseen(character):
            continue
        if start < at:
            yield text[start:at], ""
        yield ("    ", "") if character == "\t" else ("", f"U+{ord(character):04X}")
        start = at + 1
    if start < len(text):
        yield text[start:], ""


def is_unseen(character: str) -> bool:
    """Whether a reader would not see it, or it would change how its neighbours look."""
    if character in _UNSEEN:
        return True
    if character.isprintable():
        return any(first <= ord(character) <= last for first, last in _SELECTORS)
    return unicodedata.category(character) != "Zs" and character != "\n"


def marked(text: str) -> str:
    """One string with `<U+202E>` for such characters: what a terminal may be given."""
    return "".join(run or f"<{mark}>" for run, mark in runs(text))


def _pieces(segment: Segment, evidence: Mapping[int, Iterable[Evidence]]) -> Iterator[Piece]:
    spans = _joined(
        (number, one.start - segment.base, one.end - segment.base)
        for number, found in evidence.items()
        for one in found
        if _stands_in(one, segment)
    )
    bounds = {0, len(segment.text)}
    bounds.update(bound for _, start, end in spans for bound in (start, end))
    cuts = sorted(bounds)
    for start, end in pairwise(cuts):
        yield Piece(
            text=segment.text[start:end],
            numbers=_unique(n for n, first, last in spans if first <= start and end <= last),
            starts=_unique(n for n, first, _ in spans if first == start),
            ends=_unique(n for n, _, last in spans if last == end),
        )


def _joined(spans: Iterable[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Spans of one finding that overlap are one."""
    joined: list[tuple[int, int, int]] = []
    for number, start, end in sorted(spans):
        if joined and joined[-1][0] == number and start < joined[-1][2]:
            joined[-1] = (number, joined[-1][1], max(end, joined[-1][2]))
        else:
            joined.append((number, start, end))
    return joined


def _unique(numbers: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted(set(numbers)))


def _stands_in(one: Evidence, segment: Segment) -> bool:
    start, end = one.start - segment.base, one.end - segment.base
    return (
        one.source is segment.source
        and one.part == segment.part
        and 0 <= start < end <= len(segment.text)
        and segment.text[start:end] == one.text
    )
