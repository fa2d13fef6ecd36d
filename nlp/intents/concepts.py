"""Where the concepts of the word lists stand in a masked text, and how the text is cut.

A `Page` is one message as the rules see it: folded text, sections, sentences, word positions, and
the hits of every concept. Words of spaced scripts begin and end at word borders; Han, kana and
Hangul have none; Arabic words may carry a clitic in front and any ending.

Failure: none; time is linear in the text, whatever it holds.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from nlp.intents.automaton import Automaton, is_unspaced
from nlp.intents.terms import WordList, word_list
from nlp.masking import NAMES

_WORD = re.compile(
    r"[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+"
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\ue000-\uf8ff]"
)
_ARABIC_FIRST, _ARABIC_LAST = "\u0600", "\u06ff"
_CLITICS = ("وال", "بال", "فال", "كال", "ولل", "لل", "ال", "وب", "ول", "و", "ف", "ب", "ل", "ك", "س")
_BLANKS = frozenset(" \n\r\u2028-")

# Full stops, but not the point in "3.5" or "e.g."; a blank line; a list item.
_SENTENCE_END = re.compile(
    r"[.!?…]+[\"')\]»”]*(?=\s)|[。！？；!?]+|;(?=\s)|؟|\n\s*\n|\n(?=\s*[-•·*\d])"
)
_SHORT_LINE = 48

# Concepts that every masked token stands for, beside its own name.
_TOKEN_CONCEPTS = {
    "handle": ("<contact>",),
    "link_handle": ("<contact>", "<handle>"),
    "phone": ("<contact>",),
    "email": ("<contact>",),
    "piece_money": ("<money>", "pay_per"),
    "vague_money": ("<money>",),
    "odd_money": ("<money>", "odd_pay"),
    "odd_channel": ("odd_pay",),
    "messenger": ("channel",),
    "social": ("channel",),
    "clearance": ("clearance",),
}


class Hit(NamedTuple):
    """A concept at text[start:end]."""

    concept: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sentence:
    """A run of text and the kind of section it stands in."""

    start: int
    end: int
    section: str


@dataclass(slots=True)
class Page:
    """A message under the rules: `by_sentence[i][concept]` are the hits in sentence i.

    `capitals` are words written with a capital letter: of a name, a rule or a model may know only
    that it is one. `language` is the one that most of it is in, `spelled` the same text with its
    accents and capitals, offset for offset.
    """

    text: str
    sentences: tuple[Sentence, ...]
    word_starts: list[int]
    by_sentence: list[dict[str, list[Hit]]] = field(default_factory=list)
    capitals: tuple[tuple[int, int], ...] = ()
    language: str = "en"
    spelled: str = ""

    def words_between(self, start: int, end: int) -> int:
        """How many words begin in text[start:end]."""
        starts = self.word_starts
        return bisect_right(starts, end - 1) - bisect_right(starts, start - 1)

    def words_apart(self, one: Hit, other: Hit) -> int:
        """How many words stand between two hits, whichever comes first."""
        start, end = min(one.end, other.end), max(one.start, other.start)
        return self.words_between(start, end) if start < end else 0


def split_sentences(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Sentences of text[start:end]; short lines end with the line, as in signatures and notes."""
    borders: list[int] = []
    line_start = start
    for match in _SENTENCE_END.finditer(text, start, end):
        borders.append(match.end())
    position = text.find("\n", start, end)
    while position != -1:
        if position - line_start < _SHORT_LINE:
            borders.append(position + 1)
        line_start = position + 1
        position = text.find("\n", line_start, end)
    spans: list[tuple[int, int]] = []
    done = start
    for border in [*sorted(set(borders)), end]:
        if text[done:border].strip():
            spans.append((done, border))
        done = max(done, border)
    return spans


def read_page(
    text: str,
    sections: Iterable[tuple[str, int, int]],
    lists: Iterable[WordList],
    names: Iterable[tuple[int, int]] = (),
) -> Page:
    """Sentences and concept hits of folded, masked `text`; `names` are capitalised stretches."""
    sentences = tuple(
        Sentence(first, last, kind)
        for kind, start, end in sections
        for first, last in split_sentences(text, start, end)
    )
    words = [(match.start(), match.end()) for match in _WORD.finditer(text)]
    page = Page(
        text=text,
        sentences=sentences,
        word_starts=[start for start, _ in words],
        by_sentence=[{} for _ in sentences],
    )
    hits = _Scanner(text, words).hits(tuple(lists))
    hits.update(Hit("<name>", start, end) for start, end in names)
    starts = [sentence.start for sentence in sentences]
    for hit in _without_shadowed(hits):
        index = bisect_right(starts, hit.start) - 1
        if index >= 0 and hit.start < sentences[index].end:
            page.by_sentence[index].setdefault(hit.concept, []).append(hit)
    return page


def _without_shadowed(hits: set[Hit]) -> list[Hit]:
    """Hits in order, those left out that lie within a `shadow` term (a false friend)."""
    ordered = sorted(hits, key=lambda hit: (hit.start, hit.end))
    shadows = [hit for hit in ordered if hit.concept == "shadow"]
    if not shadows:
        return ordered
    covered = [(hit.start, hit.end) for hit in shadows]
    return [
        hit
        for hit in ordered
        if hit.concept != "shadow"
        and not any(start <= hit.start and hit.end <= end for start, end in covered[:64])
    ]


class _Scanner:
    """One walk over a text from every place where a term may begin."""

    def __init__(self, text: str, words: list[tuple[int, int]]) -> None:
        self.text = text
        self.words = words
        self.longest: dict[tuple[str, int], int] = {}

    def hits(self, lists: tuple[WordList, ...]) -> set[Hit]:
        text = self.text
        outer = [automaton_of(words.language) for words in lists]
        inner = [automaton for words in lists if (automaton := inner_automaton_of(words.language))]
        for start, end in self.words:
            char = text[start]
            if (name := NAMES.get(char)) is not None:
                self._note(f"<{name}>", start, end)
                for concept in _TOKEN_CONCEPTS.get(name, ()):
                    self._note(concept, start, end)
            for automaton in outer:
                self._walk(automaton, start)
            for automaton in inner:
                for inside in range(start, end):
                    self._walk(automaton, inside)
            if _ARABIC_FIRST <= char <= _ARABIC_LAST:
                for clitic in _CLITICS:
                    if text.startswith(clitic, start) and start + len(clitic) < end:
                        for automaton in outer:
                            self._walk(automaton, start + len(clitic))
        return {Hit(concept, start, end) for (concept, start), end in self.longest.items()}

    def _note(self, concept: str, start: int, end: int) -> None:
        key = (concept, start)
        if self.longest.get(key, -1) < end:
            self.longest[key] = end

    def _walk(self, automaton: Automaton, start: int) -> None:
        text, size = self.text, len(self.text)
        state, position = automaton.start, start
        while position < size:
            char = text[position]
            if char in _BLANKS:
                position = _skip_blank(text, position)
                char = " "
            else:
                position += 1
            following = state.following.get(char, state)
            if following is state:
                following = automaton.step(state, char)
            if following is None:
                return
            state = following
            if state.concepts and self._may_end(position):
                for concept in state.concepts:
                    self._note(concept, start, position)

    def _may_end(self, position: int) -> bool:
        """Whether a term may end here: not within a word of a spaced script."""
        if position >= len(self.text) or is_unspaced(self.text[position - 1]):
            return True
        char = self.text[position]
        if _ARABIC_FIRST <= char <= _ARABIC_LAST:
            return True
        return not char.isalnum() or is_unspaced(char)


@lru_cache(maxsize=16)
def automaton_of(language: str) -> Automaton:
    """The automaton of a language's list, kept for the life of the process."""
    return Automaton(word_list(language).outer)


@lru_cache(maxsize=16)
def inner_automaton_of(language: str) -> Automaton | None:
    """The same for the terms that stand inside words, None if there are none."""
    inner = word_list(language).inner
    return Automaton(inner) if inner else None


def _skip_blank(text: str, position: int) -> int:
    """Past blanks and hyphens, at most eight characters."""
    limit = min(len(text), position + 8)
    while position < limit and text[position] in _BLANKS:
        position += 1
    return position
