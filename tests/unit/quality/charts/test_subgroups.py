"""Subgroups of n parts, gaps from counts by slices, and trial limits."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from quality.charts.attribute_charts import Kind, Subgroup
from quality.charts.subgroups import TimedSubgroup, gaps, instant_name, joined, of_parts, trial

BEGIN = datetime(2026, 3, 1, 6, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)


def slices(*counts: tuple[int, ...]) -> list[TimedSubgroup]:
    """Quarter hours one after another: parts, nonconforming ones, open ones."""
    times = [BEGIN + place * QUARTER for place in range(len(counts))]
    return [
        TimedSubgroup(instant_name(at), at, at + QUARTER, Subgroup(*count))
        for at, count in zip(times, counts, strict=True)
    ]


def test_a_subgroup_is_named_by_an_instant_whatever_the_clock() -> None:
    assert instant_name(BEGIN.astimezone(timezone(timedelta(hours=2)))) == "2026-03-01T06:00Z"


def test_joined() -> None:
    both = joined("x", slices((10, 1, 2), (20, 3))[::-1])
    assert both == TimedSubgroup("x", BEGIN, BEGIN + 2 * QUARTER, Subgroup(30, 4, 2))


def test_subgroups_of_parts_end_with_a_slice() -> None:
    found = of_parts(slices((4, 1), (5, 0, 1), (3, 1), (9, 0), (10, 2), (9, 9)), 10)
    assert [(one.name, one.counts) for one in found] == [
        ("2026-03-01T06:00Z", Subgroup(9, 1, 1)),  # open parts are parts of it
        ("2026-03-01T06:30Z", Subgroup(12, 1)),
        ("2026-03-01T07:00Z", Subgroup(10, 2)),
    ]
    assert found[1].ends == BEGIN + 4 * QUARTER


def test_nonconforming_parts_lie_evenly_in_their_slice() -> None:
    found = gaps(slices((100, 0), (11, 1), (50, 0), (14, 3), (7, 0)))
    assert [(one.name, one.good) for one in found] == [
        ("2026-03-01T06:15Z 1", 105),
        ("2026-03-01T06:45Z 1", 5 + 50 + 2),
        ("2026-03-01T06:45Z 2", 3),
        ("2026-03-01T06:45Z 3", 3),
    ]
    # Every good part is in one gap, or behind the last nonconforming part.
    counts = [(17, 2), (5, 5), (30, 1), (8, 3)]
    behind = 5 - (5 * 3 // 4)
    good = sum(n - bad for n, bad in counts)
    assert sum(one.good for one in gaps(slices(*counts))) == good - behind


def test_open_parts_are_in_every_gap_that_touches_their_slice() -> None:
    found = gaps(slices((10, 0, 1), (10, 2, 3), (10, 0, 5), (10, 1)))
    assert [one.open for one in found] == [4, 3, 8]
    assert gaps(slices((10, 0))) == []


def test_trial_limits() -> None:
    of_ten = trial(slices(*[(100, 10, 50)] * 9, (100, 0), (0, 0, 7)))
    assert (of_ten.kind, of_ten.subgroups, of_ten.parts, of_ten.rate) == (Kind.P, 10, 1000, 0.09)
    assert trial(slices(*[(10, 1)] * 12)).kind is Kind.G
    varied = trial(slices(*[(1000, 50), (1000, 150)] * 10))
    assert varied.kind is Kind.LANEY
    assert trial(slices(*[(1000, 50), (1000, 150)] * 9)).kind is Kind.P, "too few for sigma_z"


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        ([(10, 1)] * 9 + [(0, 0, 5)], "9 subgroups say too little for limits: 10 have trial"),
        ([(10, 10)] * 12, "all of 120 parts are nonconforming: there are no limits"),
        ([(10, 0)] * 12, "none of 120 parts are nonconforming: there are no limits"),
        ([(10, 0)] * 20, "of 200 parts none is nonconforming"),
    ],
)
def test_what_has_no_limits_says_why(counts: list[tuple[int, ...]], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        trial(slices(*counts))
