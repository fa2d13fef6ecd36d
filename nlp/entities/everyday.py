"""Whether a word is one that people write small, in languages that have capitals.

A list of words from the corpus (`nlp.training.everyday`), and function words in each language. It
says that a capitalised word is hardly a name; it never says that one is. The trained model sees no
capitalised word that is not in the list.
"""

from functools import lru_cache
from importlib.resources import files

from nlp import lexicon
from nlp.folding import fold

# Never a part of a name that stands alone for the whole.
FUNCTION = frozenset(lexicon.read("names")["function"]["any"].split())
_CONTRACTED = 3


def is_everyday(word: str) -> bool:
    """Whether a capitalised word is an everyday word at the start of something."""
    word = word.lower().strip(".,'’")
    if word in FUNCTION or word in _everyday():
        return True
    head, mark, rest = word.replace("’", "'").partition("'")
    if mark and head in FUNCTION and len(rest) <= _CONTRACTED:
        return True  # "I'll", "you've"
    return bool(mark) and len(head) <= 2 and (rest in _everyday() or rest in FUNCTION)


@lru_cache(maxsize=1)
def folded_everyday() -> frozenset[str]:
    """The listed words as masked text has them."""
    return frozenset(map(fold, _everyday()))


@lru_cache(maxsize=1)
def _everyday() -> frozenset[str]:
    return frozenset(files(lexicon).joinpath("everyday.txt").read_text("utf-8").split())
