"""Amounts that name no currency: "the fee is 450", "300 a page", "2,000 in cash", "每篇500".

Writers leave the currency out where both know it. The words around the number must say that it is
paid: a word of pay right before it, or a way or basis of payment right behind; and what follows must
not be a thing that is counted ("pay 300 visits").
"""

import re

from nlp import lexicon
from nlp.entities.services import alternatives

_WORDS = lexicon.read("money")["bare"]
_LINKS = frozenset(_WORDS["links"])
_PAYS = frozenset(word for word in _WORDS["pays"] if not word.endswith("*"))
_PAY_STEMS = tuple(word[:-1] for word in _WORDS["pays"] if word.endswith("*"))
_JOINED = tuple(_WORDS["joined"])
_PAID = re.compile(rf"[\"”’]?\s(?:{alternatives(_WORDS['paid'])})(?![^\W_])")
_GOES_ON = re.compile(rf"\s(?:{alternatives(_WORDS['goes_on'])})(?=\s|$|[.,;:)])")
_ENDS = re.compile(r"\s*(?:$|[.,;:!?)\]\n«»\"]|\s[-–—]\s|[。，、；！？）])(?!\d)")
_COUNTS = re.compile(
    r"\s?(?:[%°‰]|\d|[-–/]\s?\d|x\b|st\b|nd\b|rd\b|th\b|(?:per|pour|por|pro) ?(?:cent|zent|ciento)|p\.? ?c\b)"
)
_JOINED_ON = re.compile(r"[0-9a-z]{2}$|[-._/#]$|\d$")
_LONE_WORDS = frozenset({"cent", "cents", "mil", "cem", "cien", "million", "millions"})
# A round amount as a sentence of its own: "Twelve hundred.", "您这边也算一份，两千。"
_ALONE_BEFORE = re.compile(
    r"(?:[.!?:;]\s{1,2}|\n\n|[，。；：])(?:(?:the\s)?(?:second|other|same|about|usual|yes,)\s)?$|(?:，|。|；|,(?=\d*$))$"
)
_ALONE_AFTER = re.compile(r"\s?(?:[.;!?](?:\s|$)|$|[。；！])|[,，](?:收|当|half|by|in|as\b)")
# "118k," and "to 66k.": so people write pay, and hardly anything else.
_IN_THOUSANDS = re.compile(r"\d{2,3}(?:[.,]\d)?\s?[kк]")
_BEFORE_THOUSANDS = re.compile(r"(?:(?<![^\W_])(?:to|at|is|than|yes|à|bis|a|до|и)|[,:–-])\s?$")
_THOUSANDS = 20_000
_BIG_ENOUGH, _REACH = 20, 48
_YEARS = range(1900, 2100)


def is_paid(folded: str, start: int, end: int, value: int, *, grouped: bool, based: bool) -> bool:
    """Whether view[start:end], a number of `value`, is an amount of money.

    `grouped` says that it is written as only amounts and counts are ("2,000", "15k"), `based` that a
    basis of payment follows ("a page").
    """
    is_part = (
        folded[start] == "0"
        or _JOINED_ON.search(folded, max(0, start - 2), start)
        or (folded[start - 1 : start].isalpha() and folded[start - 1] < "\u2e80" and not grouped)
        or folded[start:end] in _LONE_WORDS
    )
    if value < _BIG_ENOUGH or is_part or _COUNTS.match(folded, end):
        return False
    is_year = value in _YEARS and not grouped
    if _PAID.match(folded, end):
        return not is_year
    if (
        value >= _THOUSANDS
        and _IN_THOUSANDS.fullmatch(folded, start, end)
        and _ENDS.match(folded, end)
        and _BEFORE_THOUSANDS.search(folded, max(0, start - 8), start)
    ):
        return True
    announced = _is_announced(folded, start)
    if based:
        return announced or not is_year
    is_round = value >= 100 and (grouped or value % 50 == 0)
    if is_round and _is_alone(folded, start, end):
        return not is_year
    ends = _ENDS.match(folded, end) or _GOES_ON.match(folded, end)
    return announced and bool(ends) and (grouped or not is_year)


def _is_alone(folded: str, start: int, end: int) -> bool:
    """Whether it is a sentence by itself, or what a Chinese one ends with."""
    if not _ALONE_AFTER.match(folded, end):
        return False
    return start > 0 and _ALONE_BEFORE.search(folded, max(0, start - 24), start) is not None


def _is_announced(folded: str, start: int) -> bool:
    """Whether a word of pay stands before `start` with only links between."""
    before = folded[max(0, start - _REACH) : start].rpartition("\n")[2]
    if before.rstrip(" :：").endswith(_JOINED):
        return True
    for word in reversed(before.split()):
        bare = word.strip("(:,;\"'«»")
        if bare in _LINKS or not bare:
            continue
        return (bare in _PAYS or bare.startswith(_PAY_STEMS)) and word[-1:] not in (",", ";")
    return False
