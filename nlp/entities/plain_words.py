"""Whether a run of a script without capitals is made of plain words rather than of a name.

Plain are the words that many letters have (`nlp.training.common_words`: they were counted where
names are masked), forms of address and posts without a name, and words of grammar. Where a name must
stand ("my name is", "Mr"), one plain word alone says little, for many names are words, too.
"""

import re

from nlp import lexicon
from nlp.folding import fold

_NOBODY = lexicon.read("names")["nobody"]
_ARABIC_FORMS = frozenset(map(fold, _NOBODY["arabic_forms"].split()))
_ARABIC_GRAMMAR = frozenset(map(fold, _NOBODY["arabic_grammar"].split()))
_KIN = frozenset(map(fold, ("أبو", "أبا", "أبي", "أم", "عبد", "بن", "ابن", "آل", "بنت")))
_POSTS = frozenset(_NOBODY["hangul_posts"].split())
_HANGUL_ENDS = frozenset("은는이가을를의에로고며도시신한인던")
_HAN_GRAMMAR = re.compile(r"[您你我他她它们們的是每请請把被将將]|^[由对對为為在]")
_PAIR, _TRIPLE = 2, 3
_SCRIPT = re.compile(
    r"(?P<arabic>[\u0621-\u064a])|(?P<hangul>[\uac00-\ud7a3])|(?P<han>[\u3400-\u9fff])"
)


def is_plain(name: str, *, is_due: bool) -> bool:
    """Whether `name` is nobody's; `is_due` says that a name must stand where it does."""
    script = _SCRIPT.match(name)
    if script is None:
        return False
    if script["arabic"]:
        return _is_plain_arabic(name, is_due=is_due)
    return _is_plain_hangul(name) if script["hangul"] else _is_plain_han(name, is_due=is_due)


def _is_plain_arabic(name: str, *, is_due: bool) -> bool:
    words = [word for word in fold(name).split() if word not in _ARABIC_FORMS]
    if not words or any(word in _ARABIC_GRAMMAR for word in words) or len(name) <= _PAIR:
        return True
    if words[0] in _KIN:
        return False
    common = sum(word in lexicon.common_words() for word in words)
    if len(words) == 1:
        return not is_due and common > 0 and words[0].startswith(("ال", "وال", "لل", "بال"))
    return 2 * common >= len(words) if is_due else common > 0


def _is_plain_hangul(name: str) -> bool:
    # "담당 소율 팀장": the word before the post says it, whatever stands in front.
    words = name.split()
    if len(words) > 1 and words[-1] in _POSTS:
        words.pop()
    return _is_hangul_word(words[-1])


def _is_hangul_word(word: str) -> bool:
    if word in _POSTS:
        return True
    stem = word[:2]
    return stem in lexicon.common_words() and (len(word) == 2 or word[-1] in _HANGUL_ENDS)


def _is_plain_han(name: str, *, is_due: bool) -> bool:
    if _HAN_GRAMMAR.search(name):
        return True
    folded = fold(name)
    if len(folded) == _TRIPLE and is_due:
        return (
            folded[:_PAIR] in lexicon.common_words()
        )  # "时间表"; what follows may be a title: "赵主任"
    return len(folded) == _PAIR and folded in lexicon.common_words()
