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
    r"(?<![\uac00-\ud7a3])[일이삼사오육칠팔구십백천만]{1,9}(?=\s?(?:원|달러|유로|위안|엔))"
)

# "zweitausendfünfhundert": German writes them as one word.
_GERMAN_DIGITS = dict.fromkeys(("", "ein"), 1) | {
    word: value
    for value, word in enumerate(
        ("zwei", "drei", "vier", "fünf", "sechs", "sieben", "acht", "neun", "zehn", "elf", "zwölf"),
        start=2,
    )
}
_GERMAN_DIGIT = "|".join(filter(None, _GERMAN_DIGITS))
_GERMAN = re.compile(
    rf"(?<![^\W_])(?:(?P<thousands>{_GERMAN_DIGIT})?(?P<thousand>tausend))?"
    rf"(?:(?P<hundreds>{_GERMAN_DIGIT})?(?P<hundred>hundert))(?P<fifty>fünfzig)?(?![^\W_])"
)


def spelled_numbers(passage: Passage) -> Iterator[tuple[int, int, Decimal]]:
    """(start, end, value) of each run of number words."""
    if "hangul" in passage.scripts:
        for match in _HANGUL.finditer(passage.folded):
            if match.group()[-1] in _HANGUL_UNITS:
                yield match.start(), match.end(), Decimal(_hangul(match.group()))
    if "tausend" in passage.folded or "hundert" in passage.folded:
        for match in islice(_GERMAN.finditer(passage.folded), MAX_HITS):
            if value := _german(match):
                yield match.start(), match.end(), Decimal(value)
    run: list[Hit] = []
    for hit, following in pairwise([*_hits(passage), _END]):
        run.append(hit)
        if not _GAP.fullmatch(passage.folded, hit.end, min(following.start, hit.end + 8)) or (
            following.start > hit.end + 8
        ):
            yield run[0].start, hit.end, Decimal(_value(run))
            run = []


def _german(match: re.Match[str]) -> int:
    thousands = _GERMAN_DIGITS[match["thousands"] or ""] * 1000 if match["thousand"] else 0
    return thousands + _GERMAN_DIGITS[match["hundreds"] or ""] * 100 + 50 * bool(match["fifty"])


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
