"""The linear model: sums, calibration, and what it refuses to load."""

import math

import numpy as np
import pytest

from nlp.model.linear import Column, LinearModel

COLUMN = Column(name="lure", scale=0.5, bias=-1.0, slope=2.0, offset=0.5, weak=0.5, plain=0.8)


def model() -> LinearModel:
    return LinearModel({"a": 0, "b": 1}, np.array([[4], [-2]], dtype=np.int8), (COLUMN,))


def test_each_block_counts_by_its_length():
    assert model().totals([{"a", "b", "unknown"}])[0] == pytest.approx(2 / math.sqrt(2))
    assert model().totals([{"a"}, {"b"}])[0] == pytest.approx(2)
    assert model().totals([set(), {"unknown"}])[0] == 0


def test_probability_is_calibrated_and_bounded():
    logit = 2.0 * (0.5 * 3.0 - 1.0) + 0.5
    assert COLUMN.probability(3.0) == pytest.approx(1 / (1 + math.exp(-logit)))
    assert COLUMN.probability(1e9) == pytest.approx(1.0)
    assert COLUMN.probability(-1e9) == pytest.approx(0.0)


@pytest.mark.parametrize(("probability", "strength"), [(0.4, 0), (0.5, 1), (0.8, 2)])
def test_strength(probability, strength):
    assert COLUMN.strength(probability) == strength


def test_saved_and_loaded_it_says_the_same(tmp_path):
    model().save(tmp_path)
    loaded = LinearModel.load(tmp_path)
    assert loaded.columns == (COLUMN,)
    assert loaded.totals([{"a", "b"}])[0] == model().totals([{"a", "b"}])[0]


def test_weights_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match="weights for"):
        LinearModel({"a": 0}, np.zeros((2, 1), dtype=np.int8), (COLUMN,))


def test_a_pickle_is_never_loaded(tmp_path):
    model().save(tmp_path)
    np.save(tmp_path / "weights.npy", np.array([[object()]], dtype=object), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        LinearModel.load(tmp_path)
