"""The points of p and g charts, and what is raised by them."""

from __future__ import annotations

import pytest

from quality.charts.attribute_charts import Baseline, Kind, Limits, Subgroup
from quality.charts.points import gaps_between, of_gaps, of_subgroups
from quality.charts.run_rules import NELSON, NINE_ON_A_SIDE, SHEWHART

CHART = Baseline(Kind.P, 0.1, 1.0, 20, 2000)  # sigma of 100 parts: 0.03
GAPS = Baseline(Kind.G, 0.01, 1.0, 20, 2000)


def test_a_point_beyond_its_limits_is_a_signal() -> None:
    low, fine, high, small = of_subgroups(
        CHART, [Subgroup(100, 0), Subgroup(100, 19), Subgroup(100, 20), Subgroup(10, 2)]
    )
    assert [rule.code for rule in low.signals] == ["beyond_3"]
    assert fine.signals == ()
    assert fine.limits == Limits(pytest.approx(0.01), 0.1, pytest.approx(0.19))
    assert [rule.code for rule in high.signals] == ["beyond_3"]
    assert (small.value, small.signals) == (0.2, ())


def test_a_provisional_subgroup_raises_nothing() -> None:
    point, empty = of_subgroups(CHART, [Subgroup(100, 40, 6), Subgroup(0, 0, 50)])
    assert point.provisional
    assert (point.value, point.signals) == (0.4, ())
    assert (empty.value, empty.limits, empty.provisional, empty.signals) == (None, None, True, ())
    assert of_subgroups(CHART, [Subgroup(100, 40, 5)])[0].signals, "few open parts do no harm"


def test_a_run_with_a_provisional_point_in_it_waits() -> None:
    run = [Subgroup(100, 12)] * 9
    rules = (NINE_ON_A_SIDE,)
    assert of_subgroups(CHART, run, rules)[8].signals == rules
    run[4] = Subgroup(100, 12, 30)
    assert not of_subgroups(CHART, run, rules)[8].signals
    certain = [Subgroup(100, 18), Subgroup(100, 10, 90), Subgroup(100, 18)]
    raised = of_subgroups(CHART, certain, NELSON)[2].signals
    assert [rule.code for rule in raised] == ["2_of_3_beyond_2"], "whatever the one between becomes"


def test_gaps() -> None:
    assert gaps_between([False, False, True, True, False, True, False]) == [2, 0, 1]
    assert gaps_between([]) == []
    points = of_gaps(GAPS, [0, 397, 398], SHEWHART)
    assert [[rule.code for rule in point.signals] for point in points] == [[], [], ["beyond_3"]]
    assert points[0].limits == GAPS.limits(1)
    assert [point.value for point in points] == [0, 397, 398]


def test_each_chart_has_points_of_its_own() -> None:
    with pytest.raises(ValueError, match="a g chart has gaps as points"):
        of_subgroups(GAPS, [Subgroup(10, 1)])
    with pytest.raises(ValueError, match="a p chart has subgroups as points"):
        of_gaps(CHART, [3])
    assert of_subgroups(CHART, []) == []
