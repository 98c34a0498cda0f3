"""Run lengths by simulation, against the distributions they come from."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from scipy.stats import binom

from quality.charts.attribute_charts import Baseline, Kind
from quality.charts.rule_choice import rules_for
from quality.charts.run_length import RunLength, average_run_length, draw, in_parts
from quality.charts.run_rules import NINE_ON_A_SIDE, SHEWHART, WESTERN_ELECTRIC, below_centre

LARGE = Baseline(Kind.P, 0.4, 1.0, 20, 20_000_000)  # so many parts that its points are normal
CHART = Baseline(Kind.P, 0.05, 1.0, 20, 4_000)
GAPS = Baseline(Kind.G, 0.01, 1.0, 20, 2_000)


def near(found: RunLength, expected: float) -> bool:
    assert found.standard_error < 0.1 * found.points
    return abs(found.points - expected) < 3.5 * found.standard_error


def test_rule_1_alone_on_a_normal_statistic() -> None:
    assert near(average_run_length(LARGE, SHEWHART, runs=1_000), 370.4)


def test_western_electric_on_a_normal_statistic() -> None:
    """C. W. Champ and W. H. Woodall, Technometrics 29 (1987) 393-399, table 1: 91.75."""
    assert near(average_run_length(LARGE, WESTERN_ELECTRIC, runs=1_000), 91.75)


def test_rule_1_of_binomial_counts_is_one_by_their_chance() -> None:
    limits = CHART.limits(200)
    outside = binom.sf(np.floor(limits.upper * 200), 200, 0.05) + binom.cdf(
        np.ceil(limits.lower * 200) - 1, 200, 0.05
    )
    assert near(average_run_length(CHART, SHEWHART, runs=1_000), 1 / outside)


def test_sizes_are_those_that_are_to_come() -> None:
    def chance(parts: int) -> float:
        return float(binom.sf(np.floor(CHART.limits(parts).upper * parts), parts, 0.05))

    mixed = average_run_length(CHART, SHEWHART, [40, 40, 80], runs=1_000)
    assert near(mixed, 3 / (2 * chance(40) + chance(80)))


def test_nine_on_a_side() -> None:
    """The mean time to nine alike of fair coin tosses is 2**9 - 1."""
    odd = replace(LARGE, rate=0.5, parts=20 * 1_000_001)
    assert near(average_run_length(odd, [NINE_ON_A_SIDE], runs=1_000), 511)


def test_gaps_below_the_centre() -> None:
    """The mean time to k successes in a row is (q**-k - 1) / (1 - q)."""
    q = 1 - 0.99**99  # a gap of less than 99
    found = average_run_length(GAPS, [below_centre(6)], runs=1_000)
    assert near(found, (q**-6 - 1) / (1 - q))
    assert near(average_run_length(GAPS, [below_centre(1)], runs=1_000), 1 / q), "from the first on"
    assert in_parts(GAPS, found) == pytest.approx(100 * found.points)
    assert in_parts(CHART, found) == pytest.approx(200 * found.points)


def test_the_default_of_each_chart_is_seldom_wrong() -> None:
    for baseline in (CHART, GAPS):
        found = average_run_length(baseline, rules_for(baseline).rules, runs=300)
        assert 30 < found.points < 400


def test_runs_that_do_not_end_are_said() -> None:
    never = average_run_length(LARGE, [below_centre(60)], runs=5, longest=100)
    assert never == RunLength(inf, inf, 5, 5)
    some = average_run_length(LARGE, SHEWHART, runs=500, longest=100)
    assert 300 < some.given_up < 500
    assert some.points == pytest.approx(370, rel=0.25)


def test_a_seed_gives_the_same_again() -> None:
    one, other, third = (
        average_run_length(CHART, SHEWHART, runs=20, seed=seed) for seed in (1, 1, 2)
    )
    assert one == other != third


def test_what_cannot_be_simulated() -> None:
    for rules, sizes, runs in (((), [5], 10), (SHEWHART, [0], 10), (SHEWHART, [5], 1)):
        with pytest.raises(ValueError, match="needs a rule, subgroups with parts"):
            average_run_length(CHART, rules, sizes, runs=runs)


@pytest.mark.parametrize(
    "baseline",
    [
        CHART,
        Baseline(Kind.LANEY, 0.05, 2.0, 20, 40_000),
        Baseline(Kind.LANEY, 0.05, 0.5, 20, 40_000),
        Baseline(Kind.LANEY, 0.3, 3.0, 20, 40),
        GAPS,
    ],
)
def test_what_is_drawn_has_the_baselines_mean_and_deviation(baseline: Baseline) -> None:
    parts = np.full(100_000, baseline.usual_parts)
    scores = draw(baseline, parts, np.random.default_rng(5))
    assert scores.mean() == pytest.approx(0, abs=0.02)
    if baseline.usual_parts > 9 or baseline.kind is Kind.P:
        assert scores.std() == pytest.approx(1, rel=0.02)
