"""Intervals over rounds hold what they say, and verdicts go by them."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from statistics import fmean, stdev
from typing import Any

import pytest

from benchmarks.intervals import CONFIDENCE, Estimate, of_rates, of_values, ratio_of_pairs, worst
from benchmarks.targets import TARGETS, at_least, at_most


def test_a_ratio_compares_neighbours_not_averages() -> None:
    # The machine was twice as fast in the second round: the ratio of each pair is still 2.
    found = ratio_of_pairs([2.0, 4.0, 2.0], [1.0, 2.0, 1.0])
    assert (found.median, found.low, found.high, found.rounds) == pytest.approx((2, 2, 2, 3))


def test_the_interval_is_students() -> None:
    values = [4.0, 5.0, 6.0, 5.5, 4.5]
    found = of_values(values)
    reach = 2.776445 * stdev(values) / math.sqrt(5)  # t(4) at 97.5 %, from a printed table
    assert (found.low, found.high) == pytest.approx((fmean(values) - reach, fmean(values) + reach))
    assert (found.median, found.rounds, found.thrown_out) == (5.0, 5, 0)


def test_half_and_double_weigh_alike() -> None:
    found = ratio_of_pairs([1.0, 2.0, 1.0, 2.0], [2.0, 1.0, 2.0, 1.0])
    assert found.low is not None
    assert found.high is not None
    assert found.low * found.high == pytest.approx(1.0)
    assert found.median == pytest.approx(1.0)


def rates(rng: random.Random, rounds: int) -> Estimate:
    """Two contenders whose rates drift together and scatter by 3 % each; the truth is 1.1."""
    drift = [math.exp(rng.gauss(0, 0.2)) for _ in range(rounds)]
    ours, theirs = (
        [rate * d * math.exp(rng.gauss(0, 0.03)) for d in drift] for rate in (11.0, 10.0)
    )
    return ratio_of_pairs(ours, theirs)


def values(rng: random.Random, rounds: int) -> Estimate:
    """A difference in ms whose truth is 1.1."""
    return of_values([rng.gauss(1.1, 4.0) for _ in range(rounds)])


@pytest.mark.parametrize("rounds", [3, 5, 9])
@pytest.mark.parametrize("measure", [rates, values])
def test_the_interval_holds_the_truth_as_often_as_it_says(
    measure: Callable[[random.Random, int], Estimate], rounds: int
) -> None:
    rng, runs, held = random.Random(7), 2000, 0
    for _ in range(runs):
        found = measure(rng, rounds)
        assert found.low is not None
        assert found.high is not None
        held += found.low <= 1.1 <= found.high
    scatter = math.sqrt(CONFIDENCE * (1 - CONFIDENCE) / runs)
    assert abs(held / runs - CONFIDENCE) < 4 * scatter


@pytest.mark.parametrize("rounds", [1, 2])
def test_two_rounds_make_no_interval(rounds: int) -> None:
    found = of_rates([5.0, 6.0][:rounds])
    assert (found.low, found.high, found.rounds) == (None, None, rounds)


@pytest.mark.parametrize(
    ("ours", "theirs"), [([], []), ([1.0], [1.0, 2.0]), ([0.0], [1.0]), ([1.0], [-1.0])]
)
def test_rounds_that_make_no_pairs_are_refused(ours: list[float], theirs: list[float]) -> None:
    with pytest.raises(ValueError, match=r"no pairs|above 0"):
        ratio_of_pairs(ours, theirs)
    with pytest.raises(ValueError, match="no rounds"):
        of_values([])


def a_row(median: float, low: float | None, high: float | None) -> dict[str, Any]:
    return Estimate(median, low, high, 5).as_row()


SLOW, FAST, UNSURE = a_row(0.97, 0.9, 1.0), a_row(0.95, 0.94, 0.96), a_row(2.0, None, None)


@pytest.mark.parametrize(
    ("rows", "upwards", "downwards"),
    [([SLOW, FAST], SLOW, SLOW), ([FAST], FAST, FAST), ([FAST, UNSURE, SLOW], UNSURE, UNSURE)],
)
def test_the_worst_is_the_one_that_is_surest_to_miss(
    rows: Sequence[dict[str, Any]], upwards: object, downwards: object
) -> None:
    assert worst(rows) == upwards
    assert worst(rows, at_least=False) == downwards
    with pytest.raises(ValueError, match="no figures"):
        worst([])


@pytest.mark.parametrize(
    ("low", "high", "more", "less"),
    [
        (1.0, 1.2, "met", "undecided"),
        (0.99, 1.2, "undecided", "undecided"),
        (0.8, 1.0, "undecided", "met"),
        (0.8, 0.99, "not met", "met"),
        (1.01, 1.2, "met", "not met"),
        (None, None, "no interval", "no interval"),
    ],
)
def test_an_aim_is_met_only_where_the_whole_interval_is(
    low: float | None, high: float | None, more: str, less: str
) -> None:
    measured = a_row(1.05, low, high)
    assert at_least(1.0, "").verdict(measured) == more
    assert at_most(1.0, "").verdict(measured) == less


def test_a_figure_of_one_run_decides_only_where_rounds_would_not_differ() -> None:
    assert at_least(1.0, "").verdict(1.5) == "no interval"
    assert at_least(1.0, "", rounds=False).verdict(1.0) == "met"
    assert at_most(1.0, "", rounds=False).verdict(1.5) == "not met"


def test_every_target_is_a_bound_one_can_meet_and_miss() -> None:
    for target in TARGETS.values():
        step = 0.01 if target.at_least else -0.01
        above, below = target.bound + step, target.bound - step
        met = above if not target.rounds else a_row(above, min(above, above), max(above, above))
        missed = below if not target.rounds else a_row(below, below, below)
        assert target.verdict(met) == "met"
        assert target.verdict(missed) == "not met"
