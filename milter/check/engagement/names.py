"""Are two names as shown one person's name? In any script and order, blind to where it is from.

Compares sets of folded words. Refuses to guess across scripts and to weigh how common a name is:
a name alone never decides anything (`matching`), for whichever group of names.
"""

import unicodedata
from enum import IntEnum
from functools import lru_cache


class Likeness(IntEnum):
    """How far two names agree."""

    NONE = 0
    GIVEN = 1
    FULL = 2


@lru_cache(maxsize=4096)
def name_words(shown: str) -> frozenset[str]:
    """The words of a name, folded."""
    plain = unicodedata.normalize("NFKD", shown.casefold())
    kept = "".join(c if c.isalpha() else " " for c in plain if not unicodedata.combining(c))
    return frozenset(word for word in kept.split() if word not in ("via", "linkedin"))


def likeness(one: str, other: str) -> Likeness:
    """FULL: the same words; GIVEN: one name is a shorter form of the other."""
    a, b = name_words(one), name_words(other)
    if not a or not b:
        return Likeness.NONE
    if a == b and len(a) > 1:
        return Likeness.FULL
    return Likeness.GIVEN if a & b and (len(a) == 1 or len(b) == 1) else Likeness.NONE
