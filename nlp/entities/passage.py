"""A segment under recognition: its normalised view, the lexicon hits in it, results with spans.

Recognisers work on positions of the view; `Passage.entity` alone turns them into spans of the
text as written, counted in the segment's part.
"""

import re
from dataclasses import dataclass
from itertools import islice

from nlp.analysis import EntityResult, EntityType, Span, TextSegment
from nlp.entities.vocabulary import vocabulary
from nlp.normalise import Normalised, normalise

_DIGITS = re.compile(r"\d+")
_SCRIPTS = {
    "han": re.compile(r"[\u3400-\u9fff]"),
    "hangul": re.compile(r"[\uac00-\ud7a3]"),
    "kana": re.compile(r"[\u3041-\u30ff]"),
    "arabic": re.compile(r"[\u0600-\u06ff]"),
    "cyrillic": re.compile(r"[\u0400-\u052f]"),
}

# Longer segments are read up to here: bounded time, and no reader gets that far.
MAX_CHARACTERS = 30_000
MAX_HITS = 300


@dataclass(frozen=True, slots=True)
class Hit:
    """A lexicon phrase at view[start:end]; `key` is what the lexicon says about it."""

    start: int
    end: int
    key: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A service named at view[start:end]."""

    start: int
    end: int
    service: str
    obfuscated: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One segment; `words` groups lexicon hits by kind, in text order.

    `digits` are the starts of runs of digits; `scripts` are those beside Latin that occur: han, hangul, kana, arabic, cyrillic.
    """

    segment: TextSegment
    view: Normalised
    words: dict[str, tuple[Hit, ...]]
    digits: tuple[int, ...] = ()
    scripts: frozenset[str] = frozenset()
    hidden: bool = False

    @property
    def text(self) -> str:
        return self.view.text

    @property
    def folded(self) -> str:
        return self.view.folded

    def hits(self, kind: str) -> tuple[Hit, ...]:
        return self.words.get(kind, ())

    def entity(
        self,
        type_: EntityType,
        start: int,
        end: int,
        value: str,
        *,
        platform: str = "",
        flags: tuple[str, ...] = (),
    ) -> EntityResult:
        """An entity at view[start:end]; `hidden` and `obfuscated` are added where they apply."""
        first, last = self.view.original_span(start, end)
        if self.view.is_obfuscated(start, end) and "obfuscated" not in flags:
            flags = (*flags, "obfuscated")
        if self.hidden:
            flags = (*flags, "hidden")
        base = self.segment.base
        return EntityResult(
            type=type_,
            span=Span(
                source=self.segment.source,
                part=self.segment.part,
                start=base + first,
                end=base + last,
                text=self.segment.text[first:last],
            ),
            value=value,
            platform=platform,
            flags=flags,
        )


def read_passage(segment: TextSegment, *, hidden: bool = False) -> Passage:
    """Normalise a segment and look all lexicon phrases up in one pass."""
    view = normalise(segment.text[:MAX_CHARACTERS])
    words: dict[str, list[Hit]] = {}
    for start, end, (kind, key) in vocabulary().find(view.folded):
        words.setdefault(kind, []).append(Hit(start, end, key))
    return Passage(
        segment=segment,
        view=view,
        words={kind: _longest(hits) for kind, hits in words.items()},
        digits=tuple(run.start() for run in islice(_DIGITS.finditer(view.text), MAX_HITS)),
        scripts=frozenset()
        if view.text.isascii()
        else frozenset(name for name, letter in _SCRIPTS.items() if letter.search(view.text)),
        hidden=hidden,
    )


def _longest(hits: list[Hit]) -> tuple[Hit, ...]:
    """Leftmost longest hits; two keys for one phrase both stay."""
    hits.sort(key=lambda hit: (hit.start, -hit.end))
    kept: list[Hit] = []
    for hit in dict.fromkeys(hits):
        last = kept[-1] if kept else None
        if last and hit.start < last.end and (hit.start, hit.end) != (last.start, last.end):
            continue
        kept.append(hit)
        if len(kept) >= MAX_HITS:
            break
    return tuple(kept)
