"""Which rules suit a chart: by the chance of a run, summed by another route."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import betabinom, binom, geom

from quality.charts.attribute_charts import Baseline, Kind
from quality.charts.in_control import sides
from quality.charts.rule_choice import near_symmetric, rules_for
from quality.charts.run_rules import NELSON, SHEWHART, WESTERN_ELECTRIC


def chart(kind: Kind, rate: float, parts: int, sigma_z: float = 1.0) -> Baseline:
    return Baseline(kind, rate, sigma_z, 20, 20 * parts)


@pytest.mark.parametrize(("rate", "parts"), [(0.05, 137), (0.07, 100), (0.3, 10), (0.001, 100)])
def test_sides_of_a_binomial(rate: float, parts: int) -> None:
    below, above = sides(chart(Kind.P, rate, parts))
    counts = np.arange(parts + 1)
    chances = binom.pmf(counts, parts, rate)
    off = counts - rate * parts
    assert below == pytest.approx(chances[off < -1e-9].sum())
    assert above == pytest.approx(chances[off > 1e-9].sum())


def test_sides_of_subgroups_that_vary_more_than_by_chance() -> None:
    baseline = chart(Kind.LANEY, 0.03, 400, 2.5)
    total = (400 - 2.5**2) / (2.5**2 - 1)
    spread = betabinom(400, 0.03 * total, 0.97 * total)
    assert spread.var() == pytest.approx(2.5**2 * 400 * 0.03 * 0.97), "it is the one meant"
    assert sides(baseline) == pytest.approx((spread.cdf(11), spread.sf(12)))


def test_sides_of_gaps() -> None:
    below, above = sides(chart(Kind.G, 0.013, 100))
    mean = (1 - 0.013) / 0.013
    assert below == pytest.approx(geom.cdf(np.ceil(mean) - 1 + 1, 0.013))
    assert above == pytest.approx(geom.sf(np.floor(mean) + 1, 0.013))


@pytest.mark.parametrize(
    ("baseline", "near"),
    [
        (chart(Kind.P, 0.5, 101), True),
        (chart(Kind.P, 0.05, 200), True),
        (chart(Kind.P, 0.05, 118), True),
        (chart(Kind.P, 0.01, 230), False),
        (chart(Kind.LANEY, 0.05, 2000, 2.0), True),
        (chart(Kind.LANEY, 0.005, 5000, 6.0), False),
        (chart(Kind.G, 0.001, 1000), False),
    ],
)
def test_a_run_of_nine_only_where_the_chart_is_near_symmetric(
    baseline: Baseline, near: bool
) -> None:
    assert near_symmetric(baseline) is near
    codes = [rule.code for rule in rules_for(baseline).rules]
    assert codes[0] == "beyond_3"
    assert ("9_one_side" in codes) is near


def test_a_named_set_loses_what_does_not_suit_and_says_so() -> None:
    fits = rules_for(chart(Kind.P, 0.05, 200), "nelson")
    assert (fits.rules, fits.left_out, fits.why) == (NELSON, (), "")
    skewed = rules_for(chart(Kind.P, 0.01, 230), "western-electric")
    assert [rule.code for rule in skewed.left_out] == ["8_one_side"]
    assert skewed.rules == WESTERN_ELECTRIC[:3]
    assert skewed.why.startswith("points below the centre have a chance of 0.60")
    assert rules_for(chart(Kind.P, 0.01, 230), "shewhart").why == ""


def test_a_g_chart_sees_gaps_that_become_shorter() -> None:
    """A run below the centre, no likelier than nine on one side of a symmetric chart."""
    chosen = rules_for(chart(Kind.G, 0.001, 1000))
    assert [rule.code for rule in chosen.rules] == ["beyond_3", "14_below"]
    below = sides(chart(Kind.G, 0.001, 1000))[0]
    assert below**14 <= 0.5**9 < below**13
    named = rules_for(chart(Kind.G, 0.001, 1000), "nelson")
    assert named.rules == chosen.rules
    assert len(named.left_out) == 7
    assert "far from symmetric" in named.why
    assert rules_for(chart(Kind.G, 0.001, 1000), "shewhart").rules == SHEWHART


def test_a_set_that_is_not_there() -> None:
    with pytest.raises(ValueError, match="no rule set is called 'nelsen': choose from default, sh"):
        rules_for(chart(Kind.P, 0.05, 200), "nelsen")
