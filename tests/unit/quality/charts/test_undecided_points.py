"""When open parts may still move a point across a limit."""

from __future__ import annotations

import pytest

from quality.charts.attribute_charts import Baseline, Kind, Subgroup
from quality.charts.points import of_gaps, of_subgroups, undecided, undecided_gap
from quality.charts.run_rules import SHEWHART

CHART = Baseline(Kind.P, 0.1, 1.0, 20, 2000)  # 100 parts: 0.01 to 0.19
GAPS = Baseline(Kind.G, 0.01, 1.0, 20, 2000)  # up to 397.5


@pytest.mark.parametrize(
    ("counts", "waits"),
    [
        ((97, 17, 3), True),  # 0.17 to 0.20
        ((97, 15, 3), False),
        ((97, 20, 3), False),  # outside, whatever they are
        ((97, 1, 3), False),  # on the lower limit, and above it
        ((97, 0, 3), True),
        ((100, 30, 6), True),  # too many of them
        ((0, 0, 4), True),
    ],
)
def test_a_subgroup_whose_open_parts_matter(counts: tuple[int, ...], waits: bool) -> None:
    subgroup = Subgroup(*counts)
    assert undecided(CHART, subgroup) is waits
    (point,) = of_subgroups(CHART, [subgroup], SHEWHART)
    assert point.provisional is waits
    assert not (waits and point.signals)


@pytest.mark.parametrize(
    ("good", "open_", "waits"),
    [
        (397, 0, False),
        (390, 7, False),
        (390, 8, True),  # one longer than the limit if all are good
        (400, 0, False),
        (400, 1, True),  # two short ones if it is bad
        (795, 1, False),  # one of the two is beyond the limit in any case
        (794, 1, True),
    ],
)
def test_a_gap_whose_open_parts_matter(good: int, open_: int, waits: bool) -> None:
    assert undecided_gap(GAPS, good, open_) is waits
    (point,) = of_gaps(GAPS, [good], SHEWHART, [open_])
    assert point.provisional is waits
    assert bool(point.signals) is (good > 397 and not waits)
