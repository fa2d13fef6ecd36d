"""Whether a word is one that people write small, in languages that have capitals.

A list of words from the corpus (`nlp.training.everyday`), and function words in each language. It
says that a capitalised word is hardly a name; it never says that one is. The trained model sees no
capitalised word that is not in the list; German, which writes every noun so, has its nouns beside it
(`nlp.training.nouns`).
"""

from collections.abc import Container
from functools import lru_cache
from importlib.resources import files

from nlp import lexicon
from nlp.folding import fold

# Never a part of a name that stands alone for the whole.
FUNCTION = frozenset(lexicon.read("names")["function"]["any"].split())
_CONTRACTED = 3
# Shorter ends are those of names, too: "Steinberg", "Neuhaus".
_SHORTEST_FIRST, _SHORTEST_LAST = 3, 6
_LONGEST_COMPOUND = 40


def is_everyday(word: str) -> bool:
    """Whether a capitalised word is an everyday word at the start of something."""
    word = word.lower().strip(".,'’")
    if word in FUNCTION or word in _everyday():
        return True
    head, mark, rest = word.replace("’", "'").partition("'")
    if mark and head in FUNCTION and len(rest) <= _CONTRACTED:
        return True  # "I'll", "you've"
    return bool(mark) and len(head) <= 2 and (rest in _everyday() or rest in FUNCTION)


@lru_cache
def words_in(language: str) -> Container[str]:
    """The folded words of a language that are nobody's name, however they are written."""
    words = _no_names(language)
    return _German(words, _nouns()) if language == "de" else words


class _German(Container[str]):
    """Everyday words, nouns, and what is compounded of a word and a noun at its end."""

    def __init__(self, words: frozenset[str], nouns: frozenset[str]) -> None:
        self._words, self._nouns = words | nouns, nouns

    def __contains__(self, word: object) -> bool:
        if not isinstance(word, str) or len(word) > _LONGEST_COMPOUND:
            return False
        return (
            word in self._words
            or any(
                word[start:] in self._nouns
                # "Anfrageformular", "Betriebsrat"
                and (word[:start] in self._words or word[: start - 1] in self._words)
                for start in range(_SHORTEST_FIRST, len(word) - _SHORTEST_LAST + 1)
            )
        )


@lru_cache(maxsize=1)
def folded_everyday() -> frozenset[str]:
    """The listed words as masked text has them."""
    return frozenset(map(fold, _everyday()))


@lru_cache(maxsize=1)
def _everyday() -> frozenset[str]:
    return frozenset(files(lexicon).joinpath("everyday.txt").read_text("utf-8").split())


def _no_names(language: str) -> frozenset[str]:
    """Words that people write small, and those that have a capital but are nobody's name."""
    rows = map(
        str.split, files(lexicon).joinpath("capitalised.txt").read_text("utf-8").splitlines()
    )
    listed = {fold(word) for name, *words in rows if name in ("any", language) for word in words}
    return folded_everyday() | {fold(word) for word in FUNCTION} | listed


def _nouns() -> frozenset[str]:
    return frozenset(map(fold, files(lexicon).joinpath("nouns.txt").read_text("utf-8").split()))
