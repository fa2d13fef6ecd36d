"""Text made to be slow: every recogniser stays linear.

The deadline is generous: what it catches is quadratic behaviour, which takes many seconds.
"""

import time

import pytest

from nlp.entities import find_entities
from tests.support.entities import readable

SIZE, DEADLINE_SECONDS = 30_000, 3.0


@pytest.mark.parametrize(
    "piece",
    [
        "WhatsApp ",
        "Signal ID: lan_88, ",
        "search for quietharbour on Signal ",
        "+44 7700 900123 WhatsApp ",
        "pay 300 ",
        "1,00,",
        "1-",
        "t3l3gr4m ",
        "W h a t s A p p ",
        "a.b.c.d.e.",
        "加微信一二三四五六七",
        "zweitausendfünfhundert ",
        "+44 7700 ... ",
        "Tele\ngram ",
        "w✈h✈a✈t✈",
        "🅦",
        "as as as X1x1x ",
        "+44 77\n00 90",
        "two thousand ",
        "W\u200bh",
    ],
)
def test_a_text_of_one_piece_takes_no_time(piece: str) -> None:
    text = (piece * (SIZE // len(piece) + 1))[:SIZE]
    started = time.perf_counter()
    find_entities(readable(text))
    assert time.perf_counter() - started < DEADLINE_SECONDS
