"""What the trained model sees of a text: runs of words, pieces of words, concepts, labels of rules.

Everything is a string that counts once. It reads masked and folded text only, so a name, a firm, a
place or a brand is one and the same character to it; digits are one digit. Training and service
call the same functions.

Failure: none; a text gives at most MAX_WORDS words of features.
"""

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Final

from nlp.intents.grammar import Match
from nlp.masking import NAMES, TOKENS

MAX_WORDS: Final = 700
_LONGEST_RUN: Final = 3
_PIECES: Final = (3, 4, 5)
_MOST_CONCEPTS: Final = 40

_TOKEN = re.compile(
    r"(?:[^\W_\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]|(?<=[\u0621-\u0670])[\u064b-\u0652\u0670])+"
    r"|[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3\ue000-\uf8ff]"
    r"|[?!]"
)
_DIGITS = re.compile(r"\d+")
_LETTER = re.compile(r"[^\W\d_]")
_LATIN = re.compile(r"[a-z\u00df-\u024f]")
OTHER_SCRIPT = re.compile(r"[\u0370-\u06ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]+")
# Whether a recogniser knows a name must not matter: not even that somebody is named counts.
WHO = frozenset(TOKENS[name] for name in ("person", "org", "place", "origin"))
# "du Canada", "de Chine": articles say no more than the name that they stand before.
_ARTICLES = re.compile(rf"(?:\b[^\W\d_]{{1,3}}['\s]+){{1,2}}(?=[{''.join(sorted(WHO))}])")
_FORMS = frozenset({"le", "la", "les", "l", "du", "de", "des", "d", "au", "aux"})
# Han characters and Hangul syllables have no pieces; their runs are words.
_WHOLE_FROM: Final = "\u3040"


def words_of(text: str) -> list[str]:
    """The words of masked text, numbers made alike."""
    return _TOKEN.findall(_DIGITS.sub("0", text))[:MAX_WORDS]


def without_names(
    text: str, start: int, end: int, capitals: Iterable[tuple[int, int]], common: Container[str]
) -> str:
    """text[start:end] without capitalised words that are nobody's everyday word.

    So no name of a person, a place or a firm that the recognisers have overlooked can be learnt,
    nor move what was learnt. Words of another script in a Latin sentence are names, too. What is
    masked stays so, whether its script has capitals or not.
    """
    pieces: list[str] = []
    done = start
    for first, last in capitals:
        is_masked = not NAMES.keys().isdisjoint(text[first:last])
        if first >= done and last <= end and not is_masked and text[first:last] not in common:
            pieces.append(text[done:first])
            done = last
    pieces.append(text[done:end])
    kept = _ARTICLES.sub("", " ".join(pieces))
    if not kept.isascii() and is_latin(kept):
        kept = OTHER_SCRIPT.sub(" ", kept)
    return kept


def is_latin(text: str) -> bool:
    """Whether most of its letters are Latin: then words of other scripts are names."""
    return 2 * len(_LATIN.findall(text)) > len(_LETTER.findall(text))


def length_of(words: Sequence[str]) -> float:
    """How long a text is; Han characters and Hangul syllables are half a word each."""
    return sum(0.5 if word[0] >= _WHOLE_FROM and word not in NAMES else 1.0 for word in words)


def word_features(words: Sequence[str]) -> set[str]:
    """Runs of one to three words; a masked token goes by the name of its kind."""
    named = [f"<{NAMES[word]}>" if word in NAMES else word for word in words if word not in WHO]
    found = set(named)
    for length in range(2, _LONGEST_RUN + 1):
        found.update(map(" ".join, zip(*(named[skip:] for skip in range(length)), strict=False)))
    return found


def screen_features(words: Sequence[str], cues: Iterable[str]) -> tuple[set[str], set[str]]:
    """What the screen looks at: words, pairs of them, and groups of cues; no masked token.

    No French article either, as its form depends on the name behind it.
    """
    plain = [word if word not in NAMES and word not in _FORMS else "" for word in words]
    found = set(plain)
    found.update(f"{first} {second}" for first, second in pairwise(plain) if first and second)
    found.discard("")
    return found, {f"@{cue}" for cue in cues}


def piece_features(words: Iterable[str]) -> set[str]:
    """Pieces of three to five characters of words of spaced scripts, borders included."""
    found: set[str] = set()
    for word in set(words):
        if word >= _WHOLE_FROM or word in NAMES:
            continue
        bounded = f"_{word}_"
        for size in _PIECES:
            found.update(f"~{bounded[at : at + size]}" for at in range(len(bounded) - size + 1))
    return found


def concept_features(sentences: Iterable[Iterable[str]]) -> set[str]:
    """Concepts of the word lists, alone and in pairs within a sentence: alike in all languages."""
    found: set[str] = set()
    for concepts in sentences:
        ordered = sorted({concept for concept in concepts if concept != "<name>"})[:_MOST_CONCEPTS]
        found.update(f"#{concept}" for concept in ordered)
        found.update(_pairs(ordered))
    return found


def rule_features(matches: Iterable[Match]) -> set[str]:
    """What the rules found: labels, with their strength and attributes."""
    found: set[str] = set()
    for match in matches:
        label = match.rule.label.value
        found.add(f"!{label}.{match.rule.strength}")
        found.update(f"!{label}.{attribute}" for attribute in match.rule.attributes)
    return found


def _pairs(ordered: list[str]) -> Iterator[str]:
    for place, first in enumerate(ordered):
        for second in ordered[place + 1 :]:
            yield f"#{first}+{second}"
