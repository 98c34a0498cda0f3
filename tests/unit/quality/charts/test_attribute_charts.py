"""p, Laney's p′ and g charts, against published examples and against simulated parts."""

from __future__ import annotations

import json
import re
from math import sqrt
from pathlib import Path
from random import Random
from typing import Any

import pytest

from quality.charts.attribute_charts import Baseline, Kind, Limits, Subgroup
from quality.charts.baselines import baseline, suggested

# Montgomery, Introduction to Statistical Quality Control, table 7.1: 30 samples of 50 cans.
CANS = [
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22,
    8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6,
]  # fmt: skip


def of_cans() -> list[Subgroup]:
    return [Subgroup(50, bad) for bad in CANS]


def test_montgomerys_cans() -> None:
    chart = baseline(of_cans(), Kind.P)
    limits = chart.limits(50)
    assert chart.usual_parts == 50
    assert chart.rate == pytest.approx(0.2313, abs=5e-5)
    assert limits.upper == pytest.approx(0.4102, abs=5e-5)
    assert limits.lower == pytest.approx(0.0524, abs=5e-5)
    outside = [n + 1 for n, one in enumerate(of_cans()) if limits.outside(one.rate)]
    assert outside == [15, 23], "the two that the book names"
    scores = [chart.z(one) for one in of_cans()]
    assert [n + 1 for n, z in enumerate(scores) if abs(z) > 3] == outside


def test_montgomerys_cans_without_the_two() -> None:
    """The book leaves samples 15 and 23 out, whose causes were found, and revises the limits."""
    chart = baseline([one for n, one in enumerate(of_cans(), 1) if n not in (15, 23)], Kind.P)
    limits = chart.limits(50)
    assert chart.rate == pytest.approx(0.2150, abs=5e-5)
    assert (limits.lower, limits.upper) == pytest.approx((0.0407, 0.3893), abs=5e-5)
    assert [n for n, one in enumerate(of_cans(), 1) if limits.outside(one.rate)] == [15, 21, 23]


# Montgomery, table 7.4: purchase orders of 25 weeks, of which so many had an error.
ORDERS = [
    (100, 12), (80, 8), (80, 6), (100, 9), (110, 10), (110, 12), (100, 11), (100, 16), (90, 10),
    (90, 6), (110, 20), (120, 15), (120, 9), (120, 8), (110, 6), (80, 8), (80, 10), (80, 7),
    (90, 5), (100, 8), (100, 5), (100, 8), (100, 10), (90, 6), (90, 9),
]  # fmt: skip


def test_montgomerys_purchase_orders_of_varying_number() -> None:
    orders = [Subgroup(*one) for one in ORDERS]
    chart = baseline(orders, Kind.P)
    assert chart.rate == pytest.approx(234 / 2450)
    assert [chart.limits(n).upper for n in (80, 90, 100, 110, 120)] == pytest.approx(
        [0.194, 0.189, 0.184, 0.180, 0.176], abs=6e-4
    )
    assert [n for n, one in enumerate(orders, 1) if abs(chart.z(one)) > 3] == [11]


SHEWHART = json.loads((Path(__file__).parents[1] / "oracles" / "shewhart.json").read_text())


@pytest.mark.parametrize("case", SHEWHART["cases"], ids=lambda case: case["name"])
def test_limits_are_those_of_the_package_shewhart(case: dict[str, Any]) -> None:
    subgroups = [Subgroup(*one) for one in case["subgroups"]]
    chart = baseline(subgroups, Kind(case["kind"]))
    assert chart.rate == pytest.approx(case["centre"], rel=1e-12)
    assert chart.sigma_z == pytest.approx(case["sigma_z"], rel=4e-4), "it takes d2 to more digits"
    limits = [chart.limits(one.parts) for one in subgroups]
    assert [one.lower for one in limits] == pytest.approx(case["lower"], rel=4e-3)
    assert [one.upper for one in limits] == pytest.approx(case["upper"], rel=4e-4)
    outside = [n for n, one in enumerate(subgroups) if limits[n].outside(one.rate)]
    assert outside == case["outside"]


def test_limits_follow_the_number_of_parts() -> None:
    chart = baseline(of_cans(), Kind.P)
    narrow, wide = chart.limits(500), chart.limits(5)
    assert narrow.upper - narrow.centre == pytest.approx(
        (wide.upper - wide.centre) / sqrt(100), 1e-9
    )
    assert wide.lower == 0.0
    assert chart.limits(1) == Limits(0.0, chart.rate, 1.0)


def draws(rates: list[float], parts: int, seed: int = 0) -> list[Subgroup]:
    random = Random(seed)
    return [Subgroup(parts, sum(random.random() < rate for _ in range(parts))) for rate in rates]


def test_where_subgroups_vary_by_chance_laney_is_p() -> None:
    subgroups = draws([0.1] * 400, 200)
    assert baseline(subgroups, Kind.LANEY).sigma_z == pytest.approx(1.0, abs=0.1)
    assert suggested(subgroups).kind is Kind.P


def test_where_large_subgroups_vary_more_laney_widens_the_limits() -> None:
    random = Random(1)
    rates = [min(0.2, max(0.01, random.gauss(0.1, 0.02))) for _ in range(200)]
    subgroups = draws(rates, 5000)
    assert suggested(subgroups).kind is Kind.LANEY
    assert "vary 4." in suggested(subgroups).why
    chart, textbook = baseline(subgroups), baseline(subgroups, Kind.P)
    chance = sqrt(0.1 * 0.9 / 5000)
    assert chart.sigma_z == pytest.approx(sqrt(0.02**2 + chance**2) / chance, rel=0.15)
    alarms = [sum(one.limits(5000).outside(s.rate) for s in subgroups) for one in (chart, textbook)]
    assert alarms[0] <= 3 < 50 < alarms[1]


def test_laneys_sigma_is_the_moving_range_of_z() -> None:
    subgroups = [Subgroup(100, 10), Subgroup(100, 20)] * 10
    expected = (0.1 / sqrt(0.15 * 0.85 / 100)) / 1.128
    assert baseline(subgroups, Kind.LANEY).sigma_z == pytest.approx(expected)


def test_rare_ones_are_counted_by_the_parts_between_them() -> None:
    subgroups = draws([0.001] * 100, 1000)
    said = suggested(subgroups)
    assert said.kind is Kind.G
    assert re.fullmatch(
        r"g chart: (\d\.\d\d?|1) nonconforming parts are expected in a subgroup, and a p chart "
        r"needs 5: one of \d{4} parts would do",
        said.why,
    )
    chart = baseline(subgroups)
    assert chart.kind is Kind.G
    limits = chart.limits(1)
    mean = (1 - chart.rate) / chart.rate
    assert limits == Limits(0.0, mean, mean + 3 * sqrt(mean * (mean + 1)))


@pytest.mark.parametrize(("bad", "kind"), [(4, Kind.G), (5, Kind.P)])
def test_below_five_expected_a_subgroup_the_chart_switches(bad: int, kind: Kind) -> None:
    subgroups = [Subgroup(100, bad), Subgroup(100, bad + 1), Subgroup(100, bad - 1)] * 10
    assert suggested(subgroups).kind is kind
    assert suggested(subgroups).why.startswith(f"{kind} chart: {bad}")


def test_gaps_of_the_geometric_distribution() -> None:
    """Mean and deviation from the distribution itself, summed term by term."""
    rate = 0.02
    chart = Baseline(Kind.G, rate, 1.0, 20, 2000)
    chances = [rate * (1 - rate) ** gap for gap in range(3000)]
    mean = sum(gap * chance for gap, chance in enumerate(chances))
    deviation = sqrt(sum((gap - mean) ** 2 * chance for gap, chance in enumerate(chances)))
    assert chart.mean_gap == pytest.approx(mean)
    assert chart.gap_sigma == pytest.approx(deviation)
    assert chart.gap_z(round(mean + 3 * deviation)) == pytest.approx(3, abs=0.01)


def test_too_many_open_parts_make_a_subgroup_provisional() -> None:
    assert not Subgroup(95, 3, 5).provisional
    assert Subgroup(94, 3, 6).provisional
    assert Subgroup(0, 0, 4).provisional
    with pytest.raises(ValueError, match="none of the subgroup's 4 parts is decided"):
        _ = Subgroup(0, 0, 4).rate
    assert Subgroup(95, 19, 5).rate == pytest.approx(0.2), "of the decided ones"


@pytest.mark.parametrize(("rate", "sigma_z"), [(0, 1), (1, 1), (0.5, 0), (float("nan"), 1)])
def test_what_has_no_limits(rate: float, sigma_z: float) -> None:
    with pytest.raises(ValueError, match="has no limits"):
        Baseline(Kind.P, rate, sigma_z, 20, 1000)


@pytest.mark.parametrize(
    ("subgroups", "kind", "message"),
    [
        ([Subgroup(50, 5)] * 2, None, "at least 20 subgroups; there are 2"),
        ([], None, "at least 20 subgroups; there are 0"),
        (
            [*[Subgroup(50, 5)] * 20, Subgroup(40, 5, 10)],
            None,
            "subgroup 21 of 21 has 10 of 50 parts open: a baseline is frozen from decided parts",
        ),
        ([Subgroup(50, 5)] * 19, None, "at least 20 subgroups; there are 19"),
        ([Subgroup(50, 0)] * 20, None, "of 1000 parts none is nonconforming"),
        ([Subgroup(50, 50)] * 20, None, "of 1000 parts all are nonconforming"),
        ([Subgroup(50, 10)] * 20, Kind.LANEY, "exactly alike"),
    ],
)
def test_what_is_no_baseline(subgroups: list[Subgroup], kind: Kind | None, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        baseline(subgroups, kind)


def test_no_subgroups_no_chart() -> None:
    with pytest.raises(ValueError, match="there are none in this range"):
        suggested([])


@pytest.mark.parametrize("counts", [(0, 0), (5, 6), (5, -1), (5, 2, -1)])
def test_what_is_no_subgroup(counts: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="no subgroup"):
        Subgroup(*counts)
