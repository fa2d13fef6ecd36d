"""Are two names as shown one person's name? In any script and order, blind to where it is from.

- FULL: the same words, in any order, with or without hyphens, particles, accents, titles.
- PART: two words or more, both ends of the longer name among them: what was left out stood between
  (a middle name, an initial). Both a given name and a family name agree, wherever each stands.
- GIVEN: a shorter form by one word, by initials, or by two words of one end: that may be a given
  name of two words as well as the first of two family names, and nobody can tell which.

Refuses to weigh how common a name is, to guess across scripts or romanisations, and to take two
names for one by a nickname that both of them have in brackets. A name alone never decides anything
(`matching`), for whichever group of names; so a likeness may be generous where writers vary.
"""

from collections import Counter
from collections.abc import Iterable
from enum import IntEnum
from functools import lru_cache

from milter.check.engagement.shown_names import UNSPACED, Form, forms_of


class Likeness(IntEnum):
    """How far two names agree."""

    NONE = 0
    GIVEN = 1
    PART = 2
    FULL = 3


@lru_cache(maxsize=16384)
def likeness(one: str, other: str) -> Likeness:
    """The best that two names agree, by forms in the same script.

    Where the forms shown first are in one script, they must agree: what stands behind a bar may be
    the name of a house that two people share.
    """
    a, b = forms_of(one), forms_of(other)
    if not a or not b:
        return Likeness.NONE
    if a[0].script == b[0].script and _alike(a[0], b[0]) is Likeness.NONE:
        return Likeness.NONE
    theirs = {form.script: form for form in b}
    return max(
        (_alike(form, theirs[form.script]) for form in a if form.script in theirs),
        default=Likeness.NONE,
    )


def best_likeness(names: Iterable[str], other: str) -> Likeness:
    """The best that one of some names agrees with another name."""
    return max((likeness(name, other) for name in names), default=Likeness.NONE)


def is_whole_name(shown: str) -> bool:
    """True if the name has two words or more: less names nobody in particular."""
    return any(
        len(form.joined) > 1 if form.script == UNSPACED else len(form.words) > 1
        for form in forms_of(shown)
    )


def _alike(a: Form, b: Form) -> Likeness:
    if a.script == UNSPACED:
        return _unspaced(a, b)
    pairs = [(a, b), *((a, other) for other in b.others), *((other, b) for other in a.others)]
    return max(_spaced(one, two) for one, two in pairs)


def _unspaced(a: Form, b: Form) -> Likeness:
    """Without spaces the two orders of a name are rotations of one another."""
    if len(a.joined) == len(b.joined) > 1 and a.joined in b.joined * 2:
        return Likeness.FULL
    short, long = sorted((a.joined, b.joined), key=len)
    if any(short in form.words and form.joined == long for form in (a, b)):
        return Likeness.GIVEN
    # Written together a family name stands first, and a given name is most of the rest: more than
    # that may be another whole name ("小林美咲", "林美咲").
    fits = len(short) == 2 or 2 * len(short) <= len(long)
    alone = len(short) > 1 or len(long) < 4
    return Likeness.GIVEN if fits and alone and long.endswith(short) else Likeness.NONE


def _spaced(a: Form, b: Form) -> Likeness:
    if any(sum(map(_is_word, way)) > 1 for way in a.whole & b.whole):
        return Likeness.FULL
    if _size(a) == _size(b):
        return max(_shortened(a, b), _shortened(b, a))
    return _shortened(*sorted((a, b), key=_size))


def _size(form: Form) -> tuple[int, int]:
    return len(form.words), len(form.initials)


def _shortened(short: Form, long: Form) -> Likeness:
    """How far `short` leaves out what `long` has."""
    if not short.words:
        return Likeness.NONE
    left = Counter(long.words)
    left.subtract(short.words)
    if min(left.values()) < 0:
        return Likeness.GIVEN if _is_written_apart(short, long) else Likeness.NONE
    if not _initials_fit(short, long, [word for word, count in left.items() if count]):
        return Likeness.NONE
    ends = {long.words[0], long.words[-1]}
    return Likeness.PART if len(short.words) > 1 and ends <= set(short.words) else Likeness.GIVEN


def _is_word(word: str) -> bool:
    """More than an initial: scripts of syllables and words need no second letter."""
    return len(word) > 1 or word >= "\u1100"


def _initials_fit(short: Form, long: Form, left_out: list[str]) -> bool:
    """Every initial of the shorter name stands for a word or an initial of the longer."""
    if not left_out and not (short.initials and long.initials):
        return True
    open_letters = Counter([*(word[0] for word in left_out), *long.initials])
    return all(open_letters[initial] >= count for initial, count in Counter(short.initials).items())


def _is_written_apart(short: Form, long: Form) -> bool:
    """A shorter form whose parts are written together or apart: "Chiahao" for "Chia-Hao Lin"."""
    if short.initials or long.initials:
        return False
    ways = [(Counter(way), len(way)) for way in long.whole]
    return any(
        size > len(own) and all(way[word] >= count for word, count in Counter(own).items())
        for own in short.whole
        for way, size in ways
    )
