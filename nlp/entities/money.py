"""Amounts of money with currency and basis, and ways of paying that leave no invoice.

Values read `1500 USD per_page`, `1500-3000 EUR`, or the way alone (`cash`) where a text offers one
without an amount. Flags: `odd_channel` (cash, crypto, personal transfer, voucher in the same
sentence), `per_piece` (paid by the piece, page or word). "$" without a country is read as USD.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby, islice

from nlp import lexicon
from nlp.analysis import EntityResult, EntityType
from nlp.entities.bare_amounts import is_paid
from nlp.entities.eastern_amounts import (
    EASTERN_UNITS,
    HAN_AMOUNT,
    han_number,
    is_eastern_paid,
    with_tail,
)
from nlp.entities.passage import MAX_HITS, Passage
from nlp.entities.services import alternatives
from nlp.entities.spelled import spelled_numbers

_TABLE = lexicon.read("money")
_CRYPTO = frozenset({"USDT", "USDC", "BTC", "ETH", "XMR"})
_COINS = frozenset({"BTC", "ETH", "XMR"})
_MINOR = frozenset({"CENT"})
_PIECEWORK = frozenset({"per_piece", "per_page", "per_word"})

_AMOUNT = re.compile(
    r"0[.,]\d{3,8}(?![\d])(?![.,]\d)|"
    r"(?<!\d )\d{1,2}(?P<lakh>(?:,\d{2})+,\d{3})(?![\d])(?![.,]\d)"
    r"|(?<!\d )\d{1,3}(?:(?P<group>[ .,'’٬])\d{3})(?:(?P=group)\d{3})*(?:[.,٫]\d{1,2})?(?![\d])(?![.,]\d)"
    r"|\d{1,9}(?:[.,٫]\d{1,2})?(?![\d])(?![.,]\d)"
)


def _border(phrase: str) -> str:
    """What may not follow a phrase, as its last letter needs."""
    border: str = _TABLE["border"].get(phrase, "")
    if border:
        return border
    # Where nothing is spaced the next word begins at once: "0.004btc都可以".
    spaced = phrase[-1].isalnum() and phrase[-1] < "\u0590"
    return r"(?![^\W_\u2e80-\ud7a3])" if spaced else ""


def _words(phrases: Iterable[str]) -> str:
    """A pattern of phrases, the longest first; a border is compiled once for all that share it."""
    longest_first = sorted(phrases, key=lambda phrase: (-len(phrase), _border(phrase)))
    return "|".join(
        f"(?:{'|'.join(map(_body, alike))}){border}"
        for border, alike in groupby(longest_first, key=_border)
    )


def _body(phrase: str) -> str:
    return re.escape(phrase.removesuffix("*")) + (r"\w*" if phrase.endswith("*") else "")


def _lookup(table: dict[str, list[str]]) -> tuple[str, dict[str, str]]:
    keys = {form.removesuffix("*"): key for key, forms in table.items() for form in forms}
    return _words(form for forms in table.values() for form in forms), keys


_CURRENCY, _CURRENCY_OF = _lookup(_TABLE["currency"])
_MULTIPLIER, _MULTIPLIER_OF = _lookup(_TABLE["multiplier"])
_UNIT, _UNIT_OF = _lookup(_TABLE["unit"])
_ADJECTIVES = frozenset({"grand", "riesen"})
_THINGS, _LEAST_OF_THINGS = frozenset(_TABLE["things"]["words"]), _TABLE["things"]["least"]
_SLANG, _SLANG_OF = _lookup(_TABLE["slang"])
_LONG_STEMS = sorted(
    (s for s in (*_CURRENCY_OF, *_MULTIPLIER_OF, *_UNIT_OF, *_SLANG_OF)), key=len, reverse=True
)

_AFTER = re.compile(
    rf"(?:[.,][-–—]{{1,2}})?(?:\s|-(?=euro|dollar|pound|franc))?(?:(?P<times>{_MULTIPLIER})\s?)?(?:(?P<link>of\s|de\s|d['’]|in\s|en\s|em\s)?(?P<currency>{_CURRENCY}))?"
)
_AFTER_SLANG = re.compile(rf"\s?(?P<slang>{_SLANG})")
_HALF = re.compile(r"\s(?:с половиной|and a half|y medio|e meio|und ein halb)(?=\s)")
_TIMES = re.compile(rf"\s?(?P<times>{_MULTIPLIER})")
# What a name before the amount tells apart: "新台幣5000元" is no yuan, "HK$ 500 dollars" none of the US.
_SHARED_NAMES = frozenset(
    {"元", "块", "塊", "块钱", "圓", "円", "$", "dollar", "dollars", "peso", "pesos"}
)
_SHORT_NAMES = frozenset({"eth", "cfa", "fr", "rs", "kr", "tl", "dh", "ct", "sar", "zl"})
_BEFORE_LENGTHS = sorted({len(form) for form in _CURRENCY_OF}, reverse=True)
_CURRENCY_AT = re.compile(rf"\s?(?P<currency>{_CURRENCY})")
_RANGE = re.compile(r"\s?(?:-|–|—|~|to|up to|à|bis|a|até|до|至|到|إلى|에서|부터)\s?")
_EASTERN_BESIDE = re.compile(r"[\u2e80-\u9fff\uac00-\ud7a3]")
_BESIDE, _THOUSAND, _LEAST_BESIDE = 48, 1000, 20
_CLAUSE_GOES_ON = re.compile(
    r"\s*(?:$|[.,;:!?)\n])|\s(?:when|once|if|for|after|und|si|wenn|если|за|net|netto)\b"
)
# "400 instead of 300", "60 a week, 100 if there is a list": one amount with a currency tells of both.
_IN_PLACE_OF = re.compile(
    r"(?:instead of|in place of|rather than|statt|anstatt|au lieu de|en vez de|en lugar de|em vez de|вместо|بدلا من|بدل)\s$"
)
_NEXT_OF_LIST = re.compile(r"(?:[,;]|(?<![^\W_])(?:and|und|et|y|e|и))\s$")
_FOR_WHAT = re.compile(r"\s(?:for|if|when|pour|si|für|wenn|por|se|за|если|عن|إذا)(?![^\W_])")
_AND = re.compile(r"\s(?:and|et|und|y|e|و)\s?")
_BETWEEN = ("between ", "entre ", "zwischen ", "بين ")
_PER = rf"(?:{alternatives(_TABLE['per']['words'])})"
_BASIS_AFTER = re.compile(rf"[\s(,.]{{0,2}}{_PER}\s?(?P<unit>{_UNIT})")
_BASIS_PLAIN = re.compile(
    rf"\s(?:(?:per|an?|each|par|pro|por|за|je|die|la|el|im|am|в|al|每|عن كل|لكل|في)\s)\s?(?:{_UNIT})"
)
_BASIS_SLASH = re.compile(
    rf"\s?/\s?(?:{alternatives([unit for key in ('per_hour', 'per_page', 'per_word') for unit in _TABLE['unit'][key]])}|人次?|位|명|次|堂|篇|天)(?![^\W_\u2e80-\ud7a3])"
)
_BASIS_BEFORE = re.compile(rf"{_PER}\s?(?P<unit>{_UNIT})[\s:,]{{0,2}}(?:[^\s\d]{{0,6}}\s?)?$")
_BASIS_KOREAN = re.compile(rf"(?P<unit>{_UNIT})당\s?(?:[^\s\d]{{0,6}}\s?)?$")
_BASIS_WORDS: dict[str, str] = {
    word: basis for basis, words in _TABLE["basis_word"].items() for word in words
}
_BASIS_WORD = _words(_BASIS_WORDS)
_BASIS_WORD_AFTER = re.compile(rf"[ (/]{{0,2}}(?P<word>{_BASIS_WORD})")
_BASIS_WORD_BEFORE = re.compile(rf"(?<![^\W\d_])(?P<word>{_BASIS_WORD})\s?[:：]?\s?$")
_SENTENCE_END = re.compile(r"[.!?](?=\s)|[。！？\n]")
_PAYING = re.compile(
    r"pay|buy|purchas|achet|kauf|compr|куп|paid|fee|settle|honorar|transfer|remunerat|compensat|reward|bonus|rémunér|règle|verse|versé|payé|paiement|virement|"
    r"bezahl|zahl|überweis|vergüt|pag[oau]|cobr|transferenc|retrib|оплат|плат|перевод|вознагражд|付|支付|酬|结算|結算|"
    r"稿费|费用|費用|转账|轉帳|지급|사례|원고료|보수|입금|송금|دفع|تحويل|مقابل|أجر|مكافأ|نقد"
)


@dataclass(frozen=True, slots=True)
class _Amount:
    start: int
    end: int
    value: Decimal
    times: int
    currency: str
    is_sure: bool = False


def find_money(passage: Passage, taken: Sequence[tuple[int, int]] = ()) -> list[EntityResult]:
    """MONEY entities outside the `taken` spans."""
    folded = passage.folded
    amounts = _amounts(passage, taken)
    odd = [hit for hit in passage.hits("odd_channel") if _is_free(hit.start, hit.end, taken)]
    results = []
    used: set[int] = set()
    results += [
        passage.entity(EntityType.MONEY, hit.start, hit.end, passage.folded[hit.start : hit.end])
        for hit in passage.hits("coined")
        if _is_free(hit.start, hit.end, taken)
    ]
    for start, end, text, currency in _joined(folded, amounts):
        basis = _basis(folded, start, end)
        first, last = _sentence(folded, start, end)
        near = [hit for hit in odd if first <= hit.start and hit.end <= last]
        used.update(hit.start for hit in near if hit.key == "crypto" and start <= hit.start < end)
        flags = ("odd_channel",) if near or currency in _CRYPTO else ()
        if basis in _PIECEWORK:
            flags = (*flags, "per_piece")
        value = " ".join(part for part in (text, currency, basis) if part)
        results.append(passage.entity(EntityType.MONEY, start, end, value, flags=flags))
    for hit in odd:
        if hit.start in used:
            continue
        first, last = _sentence(folded, hit.start, hit.end)
        if _PAYING.search(folded, first, last):
            code = _of(_CURRENCY_OF, folded[hit.start : hit.end])
            value = code if code in _CRYPTO else hit.key
            results.append(
                passage.entity(EntityType.MONEY, hit.start, hit.end, value, flags=("odd_channel",))
            )
    return results


def _is_free(start: int, end: int, taken: Sequence[tuple[int, int]]) -> bool:
    return not any(a < end and start < b for a, b in taken)


def _amounts(passage: Passage, taken: Sequence[tuple[int, int]]) -> list[_Amount]:
    folded = passage.folded
    found = []
    done = 0
    for start in passage.digits:
        match = _AMOUNT.match(folded, start) if start >= done else None
        if match is None or not _is_free(*match.span(), taken):
            continue
        done = match.end()
        found.append(_read(folded, match.start(), match.end(), _number(match)))
    han = HAN_AMOUNT.finditer(folded) if "han" in passage.scripts else iter(())
    for match in islice(han, MAX_HITS):
        amount = _read(folded, match.start(), match.end(), han_number(match.group()))
        is_money = amount.currency or amount.is_sure or amount.value >= 100
        if is_money and _is_free(*match.span(), taken):
            found.append(amount)
    for start, end, value in spelled_numbers(passage):
        if folded.endswith(("half ", "half a "), 0, start):
            continue  # "two and a half thousand": better no value than a wrong one
        amount = _read(folded, start, end, value)
        written = folded[end : amount.end].strip()
        # "one won", "two real problems", "a try": small numbers need a name of some length.
        is_money = not amount.currency or (
            amount.end > end and (value >= 100 or (len(written) > 3 and written != "real"))
        )
        is_money = is_money or (amount.start < start and value >= 100)  # "usd nine hundred"
        if (
            (amount.currency or amount.is_sure or value >= 100)
            and is_money
            and _is_free(start, amount.end, [*taken, *_places(found)])
        ):
            found.append(amount)
    return sorted(found, key=lambda amount: amount.start)


def _places(amounts: list[_Amount]) -> list[tuple[int, int]]:
    return [(amount.start, amount.end) for amount in amounts]


def _read(folded: str, start: int, end: int, value: Decimal) -> _Amount:
    times, currency, name = 1, "", ""
    if half := _HALF.match(folded, end):
        value, end = value + Decimal("0.5"), half.end()
    # "un grand sourire" and "ein riesen Problem" say one; who means money says more.
    slang = _AFTER_SLANG.match(folded, end)
    if slang and (value > 1 or slang["slang"] not in _ADJECTIVES):
        one, _, currency = _of(_SLANG_OF, slang["slang"]).partition(" ")
        return _Amount(start, slang.end(), value, int(one), currency, is_sure=True)
    after = _AFTER.match(folded, end)
    if after and after.group().strip():
        times = int(_of(_MULTIPLIER_OF, after["times"]) or 1)
        name = (after["currency"] or "").strip()
        currency = _of(_CURRENCY_OF, name)
        if after["link"] and currency in _COINS:
            currency = ""  # "2,000 in bitcoin" says how, not how much
        if currency or times > 1:
            end = after.end("currency") if currency else after.end("times")
    if name in _THINGS and value * times < _LEAST_OF_THINGS:
        currency = ""
    if times > 1 and not currency and folded[end - 1] in EASTERN_UNITS:
        value, end = with_tail(folded, end, value, times)
        if behind := _CURRENCY_AT.match(folded, end):
            currency, end = _of(_CURRENCY_OF, behind["currency"]), behind.end()
    if not currency or name in _SHARED_NAMES:
        first, before = _currency_before(folded, start)
        if before:
            start, currency = first, before
    if currency in _MINOR and not _BASIS_AFTER.match(folded, end):
        currency = ""  # "5 p" and "10 cents" alone say too little
    return _Amount(start, end, value, times, currency)


def _currency_before(folded: str, at: int) -> tuple[int, str]:
    """(start, code) of the name of a currency that ends before `at`."""
    end = at - (folded[at - 1 : at] in (" ", "\u00a0", "\u202f"))
    for length in _BEFORE_LENGTHS:
        first = end - length
        if first >= 0 and (code := _CURRENCY_OF.get(folded[first:end])):
            if end != at and folded[first:end] == "nt":
                continue  # "NT5000" is money, "NT 4" is not
            is_word = folded[first] < "\u2e80" and folded[first].isalpha()
            left = folded[first - 1 : first]
            is_part = (left.isalnum() and left < "\u2e80") or left == "-"
            # "eth1" and "fr5" are no money, "usd500" is.
            is_code = end == at and folded[first:end] in _SHORT_NAMES
            if not is_word or not (is_part or is_code):
                return first, code
    return at, ""


def _of(table: dict[str, str], written: str | None) -> str:
    """The key of a matched form, inflected or not."""
    if not written:
        return ""
    written = written.strip()
    if written in table:
        return table[written]
    return next(
        (table[stem] for stem in _LONG_STEMS if stem in table and written.startswith(stem)), ""
    )


def _number(match: re.Match[str]) -> Decimal:
    digits = "".join(str(int(char)) if char.isdecimal() else char for char in match.group())
    if match["lakh"]:
        digits = digits.replace(",", "")
    if group := match["group"]:
        digits = digits.replace(group, "")
    return Decimal(digits.replace(",", ".").replace("٫", "."))


def _joined(folded: str, amounts: list[_Amount]) -> list[tuple[int, int, str, str]]:
    """Amounts that are money, ranges joined: (start, end, number text, currency or nothing)."""
    joined = []
    skip = False
    sure = [(amount.start, amount.end) for amount in amounts if amount.currency or amount.is_sure]
    for index, amount in enumerate(amounts):
        if skip:
            skip = False
            continue
        following = amounts[index + 1] if index + 1 < len(amounts) else None
        if following and _is_range(folded, amount, following):
            currency = amount.currency or following.currency
            is_money = following.is_sure or _is_bare(folded, amount.start, following)
            if currency or is_money or _is_beside(folded, amount.start, following, sure):
                low = amount.value * (amount.times if amount.times > 1 else following.times)
                text = f"{_plain(low)}-{_plain(following.value * following.times)}"
                joined.append((amount.start, following.end, text, currency))
                skip = True
                continue
        is_money = bool(amount.currency) or amount.is_sure or _is_bare(folded, amount.start, amount)
        if is_money or _is_beside(folded, amount.start, amount, sure):
            text = _plain(amount.value * amount.times)
            joined.append((amount.start, amount.end, text, amount.currency))
    return joined


def _is_bare(folded: str, start: int, amount: _Amount) -> bool:
    """Whether an amount, perhaps the end of a range from `start`, is money without a currency."""
    return is_paid(
        folded,
        start,
        amount.end,
        int(amount.value * amount.times),
        grouped=amount.times > 1 or not folded[amount.start : amount.end].isdigit(),
        based=_BASIS_PLAIN.match(folded, amount.end) is not None
        or _BASIS_SLASH.match(folded, amount.end) is not None
        or (
            amount.value * amount.times >= 100
            and _BASIS_WORD_AFTER.match(folded, amount.end) is not None
        ),
    )


def _is_beside(folded: str, first: int, amount: _Amount, sure: list[tuple[int, int]]) -> bool:
    """Whether an amount, perhaps the end of a range from `first`, is money by its clause.

    One with a currency stands beside it, or the Han or Hangul words around it say so.
    """
    near = any(
        0 <= first - end <= _BESIDE or 0 <= start - amount.end <= _BESIDE for start, end in sure
    )
    value = int(amount.value * amount.times)
    if folded[amount.end - 1] >= "\u2e80" or _EASTERN_BESIDE.search(
        folded, max(0, first - 2), min(len(folded), amount.end + 2)
    ):
        return is_eastern_paid(folded, first, amount.end, value, is_near=near)
    if not near or _CLAUSE_GOES_ON.match(folded, amount.end) is None:
        return False
    if value >= _LEAST_BESIDE and folded[amount.start : amount.end].isdigit():
        before = folded[max(0, first - 24) : first]
        if _IN_PLACE_OF.search(before) or (
            _NEXT_OF_LIST.search(before) and _FOR_WHAT.match(folded, amount.end)
        ):
            return True
    is_more = folded[first - 1 : first] == "+" and value >= _LEAST_OF_THINGS
    is_thousands = amount.times == _THOUSAND and folded[amount.end - 1] in "kк"
    is_said = folded[first].isalpha() and " " in folded[first : amount.end] and value % 50 == 0
    return is_more or is_thousands or is_said


def _is_range(folded: str, low: _Amount, high: _Amount) -> bool:
    if _RANGE.fullmatch(folded, low.end, high.start):
        return True
    return folded.endswith(_BETWEEN, 0, low.start) and bool(
        _AND.fullmatch(folded, low.end, high.start)
    )


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _basis(folded: str, start: int, end: int) -> str:
    if word := _BASIS_WORD_AFTER.match(folded, end) or _BASIS_WORD_BEFORE.search(
        folded, max(0, start - 12), start
    ):
        return _BASIS_WORDS[word["word"]]
    if after := _BASIS_AFTER.match(folded, end):
        return _of(_UNIT_OF, after["unit"])
    before = folded[max(0, start - 24) : start]
    if match := _BASIS_BEFORE.search(before) or _BASIS_KOREAN.search(before):
        return _of(_UNIT_OF, match["unit"])
    return ""


def _sentence(folded: str, start: int, end: int) -> tuple[int, int]:
    first = max(0, start - 160)
    for stop in _SENTENCE_END.finditer(folded, first, start):
        first = stop.end()
    stop_after = _SENTENCE_END.search(folded, end, end + 160)
    return first, stop_after.start() if stop_after else min(len(folded), end + 160)
