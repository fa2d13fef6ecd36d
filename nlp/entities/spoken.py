"""Telephone numbers dictated in words: "plus four four, seven seven double zero ...".

A run of number words (digits in between are fine) that gives at least seven digits; units, teens
and tens compose as people read numbers out, in every language of the lexicon.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from nlp import lexicon
from nlp.entities.passage import Hit, Passage
from nlp.entities.vocabulary import DOUBLE, PLUS, TRIPLE

_MIN_DIGITS, _MAX_DIGITS = 7, 15
_MIN_WORDS = 4
_LEAST_WORDS = 2
_LEAST_SPOKEN, _LENGTHS = 3, range(_MIN_DIGITS, _MAX_DIGITS + 1)
_HUNDREDS = range(200, 1000, 100)  # a plain hundred is a mark of dictation
_GAP = re.compile(
    r"[\s,،、.\-–—()/]{0,4}(?:(?:and|et|und|y|e|و|then|puis|dann|luego|depois)\s)?[\s,]{0,2}"
)
_DIGITS = re.compile(r"(?<![\w+])\+?\d{1,4}(?!\w)")


# Scripts in which digits are run together as words, and the table that has them.
_RUN_TOGETHER = {"zh": "han", "ko": "hangul"}


def _joined_scripts() -> dict[str, tuple[re.Pattern[str], dict[str, str]]]:
    scripts = {}
    for language, table in lexicon.read("number_words").items():
        if not table.get("run_together"):
            continue
        values = {
            char: str(value) for value, row in enumerate(table["units"]) for char in row.split("|")
        }
        words = "".join(values)
        plus = "|".join(table["plus"])
        # Figures may stand among the words: "0966五五五零一八".
        pattern = re.compile(
            rf"(?:(?P<plus>{plus})\s?)?(?<![\d.,])(?:[{words}]|\d(?=[\d\s\-,、.]{{0,11}}[{words}]))(?:[\s\-,、.]?[{words}0-9]){{6,18}}(?!\d)"
        )
        scripts[_RUN_TOGETHER[language]] = (pattern, values)
    return scripts


_JOINED = _joined_scripts()


def spoken_numbers(passage: Passage) -> Iterator[tuple[int, int, str]]:
    """(start, end, digits with a leading '+' where it was said) of each dictated number."""
    for script in passage.scripts & _JOINED.keys():
        pattern, values = _JOINED[script]
        for match in pattern.finditer(passage.folded):
            written = match.group()[len(match["plus"] or "") :]
            digits = "".join(
                values.get(char, char if char.isascii() and char.isdigit() else "")
                for char in written
            )
            spoken = sum(char in values for char in written)
            if spoken >= _LEAST_SPOKEN and len(digits) in _LENGTHS and len(set(digits)) > 1:
                yield match.start(), match.end(), ("+" if match["plus"] else "") + digits
    words = [
        *passage.hits("number"),
        *(hit for hit in passage.hits("spelled") if int(hit.key) in _HUNDREDS),
    ]
    if len(words) < _MIN_WORDS:
        return
    hits = sorted(
        [*words, *(Hit(m.start(), m.end(), m.group()) for m in _DIGITS.finditer(passage.folded))],
        key=lambda hit: (hit.start, -hit.end),
    )
    run: list[Hit] = []
    for previous, hit in pairwise([Hit(-9, -9, ""), *hits, Hit(1 << 40, 1 << 40, "")]):
        gap = _GAP.fullmatch(passage.folded, previous.end, hit.start) if run and hit.key else None
        if run and gap is None:
            yield from _number(run)
            run = []
        if hit.key:
            run.append(hit)


def _number(run: list[Hit]) -> Iterator[tuple[int, int, str]]:
    while run and run[-1].key in (PLUS, DOUBLE, TRIPLE):
        run = run[:-1]
    if (
        sum(not hit.key.lstrip("+").isdigit() or hit.end - hit.start > 2 for hit in run)
        < _MIN_WORDS
    ):
        return
    if sum(hit.end - hit.start > len(hit.key) for hit in run) < _LEAST_WORDS:
        return  # "210 000 et 240 000" is written, not said
    digits = ""
    repeat = 1
    pending_ten = pending_hundred = 0
    for hit in run:
        if hit.key == PLUS:
            digits = digits or "+"
        elif hit.key in (DOUBLE, TRIPLE):
            repeat = 2 if hit.key == DOUBLE else 3
        else:
            value = hit.key
            if pending_hundred and value.isdigit() and 1 <= int(value) < 100:
                # "девятьсот пятьдесят пять": the tens may have units of their own behind them.
                digits = digits[:-3] + str(pending_hundred + int(value))
                pending_hundred = 0
                pending_ten = int(value) if int(value) in range(20, 91, 10) else 0
                continue
            if pending_ten and value.isdigit() and _joins(pending_ten, int(value)):
                digits = digits[:-2] + str(pending_ten + int(value))
                pending_ten = 0
                continue
            digits += value.lstrip("+") * repeat if digits or not value.startswith("+") else value
            repeat = 1
            pending_ten = int(value) if value.isdigit() and int(value) in range(20, 91, 10) else 0
            pending_hundred = int(value) if value.isdigit() and int(value) in _HUNDREDS else 0
    if any(hit.key == "00" for hit in run) and len(run) <= _MIN_WORDS:
        return  # "for talk two, fifteen hundred once you come"
    if _MIN_DIGITS <= len(digits.lstrip("+")) <= _MAX_DIGITS:
        yield run[0].start, run[-1].end, digits


def _joins(ten: int, value: int) -> bool:
    # French counts on from sixty and eighty: "soixante douze", "quatre-vingt seize".
    return 1 <= value <= 9 or (ten in (60, 80) and 10 <= value <= 19)
