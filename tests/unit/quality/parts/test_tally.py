"""The rates of a tally, the Pareto of classes, and the difference of two rates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.intervals.rate_difference import rate_difference
from quality.intervals.wilson import wilson_interval
from quality.parts.pareto import ParetoRow, pareto
from quality.parts.tally import PartTally


def test_rates_of_a_tally() -> None:
    tally = PartTally(conforming=90, nonconforming=10, open=25, by_model=60, by_person=40)
    assert (tally.parts, tally.decided) == (125, 100)
    assert tally.rate == 0.1
    assert tally.ppm == 100_000
    assert tally.interval == wilson_interval(10, 100)
    assert tally.band == (0.08, 0.28)
    assert (tally.first_pass_yield, tally.first_pass_yield_at_best) == (0.72, 0.92)


def test_reinspections_are_no_parts() -> None:
    assert PartTally(conforming=3, reinspections=5).parts == 3


def test_without_parts_there_are_no_rates_and_open_ones_leave_all_open() -> None:
    nothing = PartTally()
    assert (nothing.rate, nothing.interval, nothing.band, nothing.ppm) == (None,) * 4
    assert (nothing.first_pass_yield, nothing.first_pass_yield_at_best) == (None, None)
    undecided = PartTally(open=22)
    assert (undecided.rate, undecided.interval, undecided.ppm) == (None,) * 3
    assert undecided.band == (0, 1)
    assert (undecided.first_pass_yield, undecided.first_pass_yield_at_best) == (0, 1)


@given(*[st.integers(0, 5000)] * 3)
def test_what_open_parts_turn_out_to_be_stays_within_the_band(
    good: int, bad: int, left: int
) -> None:
    tally = PartTally(conforming=good, nonconforming=bad, open=left)
    if tally.band is None:
        return
    for later in range(0, left + 1, 1 + left // 7):
        final = PartTally(conforming=good + left - later, nonconforming=bad + later)
        assert tally.band[0] <= (final.rate or 0) <= tally.band[1]
        assert tally.first_pass_yield is not None
        assert tally.first_pass_yield_at_best is not None
        assert final.first_pass_yield is not None
        assert tally.first_pass_yield <= final.first_pass_yield <= tally.first_pass_yield_at_best


def test_pareto_of_parts_with_several_classes() -> None:
    """5 parts: cutting out `cut` leaves one, which is `bent`; `scratch` adds nothing."""
    found = pareto({("bent",): 1, ("bent", "cut"): 1, ("cut",): 2, ("cut", "scratch"): 1})
    assert found == [
        ParetoRow("cut", 4, 0.8, 0.8),
        ParetoRow("bent", 2, 0.4, 1.0),
        ParetoRow("scratch", 1, 0.2, 1.0),
    ]


def test_equal_classes_go_by_name_and_none_gives_no_row() -> None:
    assert [row.name for row in pareto({("b",): 1, ("a",): 1, ("c",): 2})] == ["c", "a", "b"]
    assert pareto({}) == pareto({("a",): 0}) == []


@pytest.mark.parametrize(
    ("now", "before", "low", "high"),
    [
        # Newcombe 1998, table II, method 10 (score, no continuity correction)
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((6, 7), (2, 7), 0.0582, 0.8062),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 20), -0.1611, 0.2775),
        ((0, 10), (0, 10), -0.2775, 0.2775),
        ((10, 10), (0, 20), 0.6791, 1.0),
        ((10, 10), (0, 10), 0.6075, 1.0),
    ],
)
def test_the_interval_of_a_difference(
    now: tuple[int, int], before: tuple[int, int], low: float, high: float
) -> None:
    found = rate_difference(*now, *before)
    assert found is not None
    assert found == pytest.approx((now[0] / now[1] - before[0] / before[1], low, high), abs=5e-5)


def test_a_rate_of_nothing_differs_from_nothing() -> None:
    assert rate_difference(0, 0, 1, 10) is None
    assert rate_difference(1, 10, 0, 0) is None
