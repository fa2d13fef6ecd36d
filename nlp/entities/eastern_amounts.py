"""Numbers of money in Han and Hangul, and amounts that name no currency: "谢礼五千", "축하금 3만5천".

Numbers with a unit of a thousand or ten thousand are amounts or counts. They are amounts where
their clause speaks of paying, or stands beside one with a currency, and where nothing that is
counted follows.
"""

import re
from decimal import Decimal

from nlp import lexicon
from nlp.entities.services import alternatives

_HAN_DIGITS = {
    **{char: value for value, char in enumerate("零一二三四五六七八九")},
    **{char: value for value, char in enumerate("壹贰叁肆伍陆柒捌玖", start=1)},
    **{char: value for value, char in enumerate("壹貳參肆伍陸柒捌玖", start=1)},
    "两": 2,
    "兩": 2,
    "〇": 0,
}
_HAN_UNITS = {
    "十": 10,
    "拾": 10,
    "百": 100,
    "佰": 100,
    "千": 1000,
    "仟": 1000,
    "万": 10_000,
    "萬": 10_000,
}
HAN_AMOUNT = re.compile(
    r"(?:[一二两兩三四五六七八九壹贰貳叁參肆伍陆陸柒捌玖]|十(?=[一-九余餘来來多几幾]{0,2}[万萬元块塊]))(?:(?!一[节節页頁篇次天趟份条條堂])[一二两兩三四五六七八九零〇十百千万萬壹贰貳叁參肆伍陆陸柒捌玖拾佰仟余餘]){0,11}(?:[来來多](?=[块塊元]))?"
)
# "3만5천", "1萬2": what stands behind a unit of ten thousand or thousand belongs to it.
_TAIL = re.compile(r"\s?(?P<digits>\d{1,4})(?P<unit>[천千백百])?(?![\d.,:]\d|\d)")
EASTERN_UNITS = frozenset("만萬万천千억億亿백百")
_TAIL_UNITS = {"천": 1000, "千": 1000, "백": 100, "百": 100}

_WORDS = lexicon.read("money")["eastern"]
_PAYS = re.compile(alternatives(_WORDS["pays"]))
_CLAUSES = 26
_BREAK = re.compile(r"[。!?！？\n]")
_COUNTED = re.compile(
    rf"\s?(?:多|来|余|餘)?(?:{alternatives(_WORDS['counted'])})|[%°‰]|[-–~/]\s?\d|\d|[a-z]"
)
_ENDS = re.compile(rf"\s?(?:$|[，。、；,.;!！?？:：)）」”\"\s]|{alternatives(_WORDS['goes_on'])})")
_UNITS = frozenset("만萬万천千백百億亿억佰仟")
# As prices are said: "3만5천", "1萬2", "4천5백".
_COMPOUND = re.compile(r"\d{1,4}[만萬万千천]\s?\d{1,4}[천千백百]?")
_GROUPED = re.compile(r"\d,\d{3}")
_ORDINAL = re.compile(r"(?:第|字数|字數|篇幅|人数|人數|面积|面積|编号|編號)\S{0,3}\s?$")


def is_eastern_paid(folded: str, start: int, end: int, value: int, *, is_near: bool) -> bool:
    """Whether view[start:end] is an amount; `is_near` says that one with a currency stands beside."""
    written = folded[start:end]
    has_unit = any(char in _UNITS for char in written) or _GROUPED.search(written) is not None
    is_figure = not has_unit and written[-1].isdigit()
    if value < 50 or not (has_unit or (is_figure and value % 10 == 0)):
        return False
    if is_figure and 1900 <= value < 2100:
        return False
    if _COUNTED.match(folded, end) or not _ENDS.match(folded, end):
        return False
    if folded[start - 1 : start].isascii() and folded[start - 1 : start].isalnum():
        return False
    before = folded[max(0, start - _CLAUSES) : start]
    if stop := list(_BREAK.finditer(before)):
        before = before[stop[-1].end() :]
    if _ORDINAL.search(before):
        return False
    is_more = is_near and folded[start - 1 : start] == "+"
    if is_more or (has_unit and is_near) or _COMPOUND.fullmatch(written):
        return True
    pays = list(_PAYS.finditer(before))
    if not pays:
        return False
    gap = before[pays[-1].end() :]
    return len(gap) <= (8 if has_unit else 3) and not any(char.isdigit() for char in gap)


def han_number(written: str) -> Decimal:
    """What "一万五千" and "四万二" say."""
    total = section = digit = unit = 0
    for char in written:
        if char in _HAN_DIGITS:
            digit = _HAN_DIGITS[char]
            if digit == 0:
                unit = 0
            continue
        if char in "余餘来來多":
            continue
        unit = _HAN_UNITS[char]
        if unit == 10_000:
            total += (section + digit) * unit
            section = 0
        else:
            section += (digit or 1) * unit
        digit = 0
    # "四万二" leaves the last unit out, as people say it.
    return Decimal(total + section + (digit * unit // 10 if unit > 10 else digit))


def with_tail(folded: str, end: int, value: Decimal, times: int) -> tuple[Decimal, int]:
    """Value, counted in `times`, and end of "3만5천" whose "3만" ends at `end`."""
    tail = _TAIL.match(folded, end)
    if tail is None:
        return value, end
    unit = _TAIL_UNITS.get(tail["unit"] or "", 0)
    if not unit and len(tail["digits"]) == 1:
        unit = times // 10
    return value + Decimal(int(tail["digits"]) * (unit or 1)) / times, tail.end()
