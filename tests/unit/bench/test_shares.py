"""Intervals against published values, bins and their sums."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.evaluation.shares import Gap, Share, bins_of, brier, calibration_error, quantile, share


def test_wilson_as_published():
    # Newcombe 1998, Statistics in Medicine 17:857-872, method 3.
    assert Share(81, 263).interval == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert Share(15, 148).interval == pytest.approx((0.0624, 0.1605), abs=5e-5)
    assert Share(0, 20).interval == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert Share(29, 29).interval == pytest.approx((0.8830, 1.0), abs=5e-5)


def test_newcombe_as_published():
    # Newcombe 1998, Statistics in Medicine 17:873-890, method 10.
    assert Gap(Share(56, 70), Share(48, 80)).interval == pytest.approx((0.0524, 0.3339), abs=5e-5)
    assert Gap(Share(9, 10), Share(3, 10)).interval == pytest.approx((0.1705, 0.8090), abs=5e-5)
    assert Gap(Share(10, 10), Share(0, 20)).interval == pytest.approx((0.6791, 1.0), abs=5e-5)


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 60), st.integers(1, 60))
def test_a_gap_turns_with_its_sides(hits, more, other_hits, other_more):
    one, other = Share(hits, hits + more), Share(other_hits, other_hits + other_more)
    low, high = Gap(one, other).interval
    turned_low, turned_high = Gap(other, one).interval
    assert (low, high) == pytest.approx((-turned_high, -turned_low))
    assert -1 <= low <= Gap(one, other).value <= high <= 1
    assert Gap(one, other).is_clear == (low > 0 or high < 0)


def test_shares_as_text():
    assert str(Share(0, 0)) == "–"
    assert str(share([True, False, False, False])) == "1 of 4 (25 %, 5–70)"
    assert str(Gap(Share(9, 10), Share(3, 10))) == "**+60 (+17 to +81)**"
    assert str(Gap(Share(1, 2), Share(1, 2))) == "+0 (-57 to +57)"
    assert str(Gap(Share(1, 2), Share(0, 0))) == "–"


def test_every_probability_has_one_bin():
    said = [0.0, 0.05, 0.1, 0.5, 0.95, 1.0]
    bins = bins_of(said, [False, False, True, True, True, True])
    assert [one.came_true.total for one in bins] == [2, 1, 0, 0, 0, 1, 0, 0, 0, 2]
    assert [one.came_true.hits for one in bins] == [0, 1, 0, 0, 0, 1, 0, 0, 0, 2]
    assert bins[0].said == pytest.approx(0.025)
    assert bins[9].said == pytest.approx(0.975)
    assert (bins[9].low, bins[9].high) == (0.9, 1.0)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_bins_lose_no_mail(pairs):
    said, truth = [one for one, _ in pairs], [so for _, so in pairs]
    bins = bins_of(said, truth)
    assert sum(one.came_true.total for one in bins) == len(said)
    assert sum(one.came_true.hits for one in bins) == sum(truth)
    assert 0 <= calibration_error(bins) <= 1


def test_brier_and_distance():
    assert brier([1.0, 0.0], [True, False]) == 0
    assert brier([0.5, 0.5, 0.8], [True, False, False]) == pytest.approx((0.25 + 0.25 + 0.64) / 3)
    # Said 0.25 where half came true (two mails), 0.9 where all did (one mail).
    bins = bins_of([0.25, 0.25, 0.9], [True, False, True])
    assert calibration_error(bins) == pytest.approx((0.25 * 2 + 0.1) / 3)


def test_quantiles_are_values_seen():
    values = [4.0, 1.0, 3.0, 2.0]
    assert quantile(values, 0.5) == 2.0
    assert quantile(values, 0.95) == 4.0
    assert quantile([7.0], 0.5) == 7.0
    assert quantile([*range(1, 101)], 0.95) == 95
