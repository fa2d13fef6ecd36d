"""Numbers in words, as they stand before a currency: "eight thousand", "quinientos", "오십만".

Units, teens and tens come from the words in which telephone numbers are dictated, hundreds and
more from the table `spelled`. Only runs of such words are read; no currency is looked for here.
"""

import re
from collections.abc import Iterator
from decimal import Decimal
from itertools import islice, pairwise

from nlp.entities.passage import MAX_HITS, Hit, Passage

_GAP = re.compile(r"[\s-]{1,2}(?:(?:and|et|y|e|und)\s)?")
_END = Hit(1 << 40, 1 << 40, "")
_HANGUL_DIGITS = {char: value for value, char in enumerate("일이삼사오육칠팔구", start=1)}
_HANGUL_UNITS = {"십": 10, "백": 100, "천": 1000, "만": 10_000}
_HANGUL = re.compile(
    r"(?<![\uac00-\ud7a3])[일이삼사오육칠팔구십백천만]{1,9}(?=\s?(?:원|달러|유로|위안|엔|불|$|[.,!?)]|\s|으로|이면|씩|까지|정도))"
)

# "zweitausendfünfhundert", "hundertzwanzig": German writes them as one word.
_GERMAN_UNITS = dict(
    zip(
        ["ein", "zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun"],
        range(1, 10),
        strict=True,
    )
)
_GERMAN_TEENS = dict(
    zip(
        [
            "zehn",
            "elf",
            "zwölf",
            "dreizehn",
            "vierzehn",
            "fünfzehn",
            "sechzehn",
            "siebzehn",
            "achtzehn",
            "neunzehn",
        ],
        range(10, 20),
        strict=True,
    )
)
_GERMAN_TENS = dict(
    zip(
        ["zwanzig", "dreißig", "vierzig", "fünfzig", "sechzig", "siebzig", "achtzig", "neunzig"],
        range(20, 100, 10),
        strict=True,
    )
)
_GERMAN_SMALL = {
    **{
        f"{unit}und{ten}": tens + units
        for unit, units in _GERMAN_UNITS.items()
        for ten, tens in _GERMAN_TENS.items()
    },
    **_GERMAN_TENS,
    **_GERMAN_TEENS,
    **_GERMAN_UNITS,
}
_GERMAN_WORD = "|".join(sorted(_GERMAN_SMALL, key=len, reverse=True))
_GERMAN_LONG = re.compile(r"[a-zßäöü]*(?:tausend|hundert)[a-zßäöü]*")
_GERMAN = re.compile(
    rf"(?<![^\W_])(?:(?P<thousands>{_GERMAN_WORD})?(?P<thousand>tausend))?"
    rf"(?:(?P<hundreds>{_GERMAN_WORD})?(?P<hundred>hundert))?(?:und)?(?P<rest>{_GERMAN_WORD})?(?![^\W_])"
)


def spelled_numbers(passage: Passage) -> Iterator[tuple[int, int, Decimal]]:
    """(start, end, value) of each run of number words."""
    if "hangul" in passage.scripts:
        for match in _HANGUL.finditer(passage.folded):
            if match.group()[-1] in _HANGUL_UNITS:
                yield match.start(), match.end(), Decimal(_hangul(match.group()))
    if "tausend" in passage.folded or "hundert" in passage.folded:
        for word in islice(_GERMAN_LONG.finditer(passage.folded), MAX_HITS):
            number = _GERMAN.fullmatch(word.group())
            is_joined = word.group() not in ("tausend", "hundert")  # "zwei Tausend" is a run
            if number and is_joined and (value := _german(number)):
                yield word.start(), word.end(), Decimal(value)
    run: list[Hit] = []
    for hit, following in pairwise([*_hits(passage), _END]):
        run.append(hit)
        if not _GAP.fullmatch(passage.folded, hit.end, min(following.start, hit.end + 8)) or (
            following.start > hit.end + 8
        ):
            yield run[0].start, hit.end, Decimal(_value(run))
            run = []


def _german(match: re.Match[str]) -> int:
    if not (match["thousand"] or match["hundred"]):
        return 0
    thousands = _GERMAN_SMALL.get(match["thousands"] or "", 1) * 1000 if match["thousand"] else 0
    hundreds = _GERMAN_SMALL.get(match["hundreds"] or "", 1) * 100 if match["hundred"] else 0
    return thousands + hundreds + _GERMAN_SMALL.get(match["rest"] or "", 0)


def _hits(passage: Passage) -> list[Hit]:
    """Number words in text order, inflected ones to their end, without overlaps."""
    folded = passage.folded
    words = [hit for hit in passage.hits("number") if hit.key.isdigit() and hit.key != "00"]
    for hit in passage.hits("spelled"):
        end = hit.end
        while end < len(folded) and folded[end].isalpha() and folded[end] < "\u0590":
            end += 1
        words.append(Hit(hit.start, end, hit.key))
    kept: list[Hit] = []
    for hit in sorted(words, key=lambda hit: (hit.start, -hit.end)):
        if not kept or hit.start >= kept[-1].end:
            kept.append(hit)
    return kept


def _value(run: list[Hit]) -> int:
    total = section = 0
    for hit in run:
        value = int(hit.key)
        if value >= 1000:
            total += (section or 1) * value
            section = 0
        elif value == 100:
            section = (section or 1) * 100
        else:
            section += value
    return total + section


def _hangul(written: str) -> int:
    total = section = digit = 0
    for char in written:
        if char in _HANGUL_DIGITS:
            digit = _HANGUL_DIGITS[char]
        elif char == "만":
            total += (section + digit or 1) * 10_000
            section = digit = 0
        else:
            section += (digit or 1) * _HANGUL_UNITS[char]
            digit = 0
    return total + section + digit
