"""What held-out scores mean, and from where on something is said."""

import numpy as np
import pytest

from nlp.training.calibration import platt, said_from


def test_probabilities_are_those_of_the_held_out_rows():
    scores = np.repeat([-1.0, 1.0], 100)
    truth = np.concatenate([np.arange(100) < 20, np.arange(100) < 70])
    slope, offset = platt(truth, scores)
    found = 1 / (1 + np.exp(-(slope * np.array([-1.0, 1.0]) + offset)))
    assert found == pytest.approx([0.2, 0.7], abs=0.01)


def test_of_two_scores_each_weighs_by_what_it_knows():
    chance = np.random.default_rng(0)
    good, bad = chance.normal(size=(2, 2_000))
    truth = chance.random(2_000) < 1 / (1 + np.exp(-3 * good))
    of_good, of_bad, offset = platt(truth, good, bad)
    assert of_good == pytest.approx(3, abs=0.5)
    assert (of_bad, offset) == pytest.approx((0, 0), abs=0.3)


def test_it_is_said_from_the_lowest_at_which_enough_are_right():
    probabilities = np.linspace(0.99, 0.3, 70)
    truth = np.arange(70) < 40
    # Of the first n, 40 of n are right: seven of ten at 57, nine of ten at 44.
    weak, plain = said_from(probabilities, truth, np.ones(70))
    assert weak == pytest.approx(probabilities[56])
    assert plain == pytest.approx(probabilities[43])


def test_a_wrong_one_that_weighs_three_times_is_three_wrong_ones():
    probabilities = np.linspace(0.99, 0.3, 70)
    truth = np.arange(70) < 40
    # Of 40 right ones, five that weigh three times are the last that leave seven of ten right.
    weak, plain = said_from(probabilities, truth, np.where(truth, 1.0, 3.0))
    assert weak == pytest.approx(probabilities[44])
    assert plain == pytest.approx(probabilities[40])


def test_what_is_hardly_ever_right_is_never_said_and_nothing_unlikely_is():
    assert min(said_from(np.full(10, 0.9), np.arange(10) < 5, np.ones(10))) > 1
    weak, plain = said_from(np.full(10, 0.01), np.ones(10), np.ones(10))
    assert weak == plain == 0.25
