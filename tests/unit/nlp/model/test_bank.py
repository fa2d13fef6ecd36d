"""The bank sums what the models themselves would sum."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nlp.model.bank import Bank, all_of
from nlp.model.features import piece_features
from nlp.model.linear import Column, LinearModel

WORDS = ("pay", "report", "client", "monday")
COLUMN = Column(name="x", scale=0.01, bias=0.0, slope=1.0, offset=0.0, weak=0.5, plain=0.8)


def model(names: list[str], columns: int) -> LinearModel:
    chance = np.random.default_rng(len(names))
    return LinearModel(
        {name: row for row, name in enumerate(names)},
        chance.integers(-127, 127, (len(names), columns), dtype=np.int8),
        (COLUMN,) * columns,
    )


MODELS = (
    model(["pay", "report", "pay report", *piece_features(["report"]), "#pay", "%4"], 3),
    model(["client", "report", *piece_features(["client", "pay"]), "#client"], 1),
)
TEXT = st.tuples(
    st.sets(st.sampled_from([*WORDS, "pay report"])),
    st.lists(st.sampled_from(WORDS)),
    st.sets(st.sampled_from(["#pay", "#client", "#other"])),
    st.sets(st.sampled_from(["%4", "%5"])),
)


@given(st.lists(TEXT, min_size=1, max_size=5))
def test_sums_are_those_of_the_models(texts: list[tuple[set[str], list[str], set[str], set[str]]]) -> None:  # fmt: skip
    bank = Bank(*MODELS)
    known = [bank.known(*text) for text in texts]
    for place, one in enumerate(MODELS):
        totals = bank.totals(place, known)
        for row, (runs, words, concepts, fields) in zip(totals, texts, strict=True):
            expected = one.totals((runs, piece_features(words), concepts, fields))
            assert row == pytest.approx(expected)


def test_texts_together_are_one_text() -> None:
    bank = Bank(*MODELS)
    parts = [
        bank.known({"pay"}, ["pay", "report"], {"#pay"}, {"%4"}),
        bank.known({"pay", "report"}, ["report"], set(), {"%5"}),
    ]
    whole = bank.known({"pay", "report"}, ["pay", "report"], {"#pay"}, {"%4", "%5"})
    assert all_of(parts) == whole


def test_an_empty_text_sums_to_nothing() -> None:
    bank = Bank(*MODELS)
    assert not bank.totals(0, [bank.known((), (), (), ())]).any()
