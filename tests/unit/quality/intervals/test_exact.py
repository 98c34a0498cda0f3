"""Exact intervals, against published values, SciPy, and every sample there is of a small lot."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from math import comb

import pytest
from scipy.stats import beta

from quality.intervals.exact import beta_cumulative, clopper_pearson, number_in_lot


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        # R. G. Newcombe, Statistics in Medicine 17 (1998) 857-872, table I, method 5
        (81, 263, 0.2527, 0.3676),
        (15, 148, 0.0578, 0.1617),
        (0, 20, 0.0000, 0.1684),
        (1, 29, 0.0009, 0.1776),
    ],
)
def test_clopper_pearson_against_published_values(
    hits: int, trials: int, low: float, high: float
) -> None:
    assert clopper_pearson(hits, trials) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("hits", "trials", "level"),
    [
        *((k, n, 0.95) for k, n in [(1, 2), (3, 10), (999, 1000), (20, 2_000_000), (2.5, 7.25)]),
        (400_000, 1_000_000, 0.95),
        (7, 90, 0.99),
        (10, 10, 0.95),
    ],
)
def test_clopper_pearson_is_what_scipy_says(hits: float, trials: float, level: float) -> None:
    tail = (1 - level) / 2
    low = beta.ppf(tail, hits, trials - hits + 1)
    high = beta.ppf(1 - tail, hits + 1, trials - hits) if hits < trials else 1.0
    assert clopper_pearson(hits, trials, level) == pytest.approx((low, high), rel=1e-9)


@pytest.mark.parametrize("x", [-0.5, 0.0, 1e-9, 0.3, 0.999, 1.0, 1.5])
def test_the_incomplete_beta_function(x: float) -> None:
    for a, b in product((0.5, 3, 400), repeat=2):
        assert beta_cumulative(x, a, b) == pytest.approx(beta.cdf(x, a, b), rel=1e-9, abs=1e-300)


def test_no_trials_say_nothing_and_more_hits_are_refused() -> None:
    assert clopper_pearson(0, 0) == (0.0, 1.0)
    with pytest.raises(ValueError, match="no proportion"):
        clopper_pearson(3, 2)
    with pytest.raises(ValueError, match="no sample of a lot"):
        number_in_lot(10, 11, 0)


def chance(parts: int, bad: int, looked_at: int, found: int) -> Fraction:
    if bad - found > parts - looked_at or found > bad:
        return Fraction(0)
    return Fraction(comb(bad, found) * comb(parts - bad, looked_at - found), comb(parts, looked_at))


@pytest.mark.parametrize(("parts", "looked_at"), [(1, 1), (12, 5), (40, 9), (40, 39)])
def test_a_lot_against_every_sample_of_it(parts: int, looked_at: int) -> None:
    """By exact fractions, without a search: all numbers that are not too unlikely."""

    def likely(bad: int, found: int) -> bool:
        chances = [chance(parts, bad, looked_at, k) for k in range(looked_at + 1)]
        return min(sum(chances[: found + 1]), sum(chances[found:])) > Fraction(1, 40)

    for found in range(looked_at + 1):
        numbers = range(found, parts - looked_at + found + 1)
        kept = [bad for bad in numbers if likely(bad, found)]
        assert number_in_lot(parts, looked_at, found) == (min(kept), max(kept))


def test_exact_bounds_of_a_lot_hold_in_at_least_95_of_100_samples() -> None:
    parts, looked_at = 60, 14
    for bad in range(parts + 1):
        held = Fraction(0)
        for found in range(looked_at + 1):
            if share := chance(parts, bad, looked_at, found):
                low, high = number_in_lot(parts, looked_at, found)
                held += share * (low <= bad <= high)
        assert held >= Fraction(19, 20)


def test_a_lot_that_was_looked_at_is_known_and_one_that_was_not_is_not() -> None:
    assert number_in_lot(500, 500, 17) == (17, 17)
    assert number_in_lot(500, 0, 0) == (0, 500)


@pytest.mark.parametrize("found", [0, 3, 200, 9_990])
def test_of_a_huge_lot_it_is_clopper_and_pearsons(found: int) -> None:
    parts = 10**8
    low, high = number_in_lot(parts, 10_000, found)
    exact = clopper_pearson(found, 10_000)
    assert (low / parts, high / parts) == pytest.approx(exact, rel=1e-3, abs=1e-7)
