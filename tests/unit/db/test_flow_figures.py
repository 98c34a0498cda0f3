"""Percentiles and takt, by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from db.reports.flow_figures import Timed, figures, percentiles, takt_s

SIX = datetime(2026, 3, 2, 6, tzinfo=UTC)


def timed(part: str | None, captured_s: float | None, took_s: float = 1.0) -> Timed:
    captured = None if captured_s is None else SIX + timedelta(seconds=captured_s)
    decided = (captured or SIX) + timedelta(seconds=took_s)
    return Timed(part, captured, captured, decided)


@pytest.mark.parametrize("count", [1, 2, 3, 100, 101])
def test_percentiles_are_numpys(count: int) -> None:
    values = [float(n * n % 17) for n in range(count)]
    assert percentiles(values) == pytest.approx(list(np.percentile(values, [50, 95, 99])))
    assert percentiles([]) == [None, None, None]


def test_takt_is_from_part_to_part_not_from_picture_to_picture() -> None:
    run = [timed("A", 0), timed("A", 1), timed("B", 10), timed("B", 11), timed("C", 20)]
    assert takt_s([run]) == 10
    assert takt_s([list(reversed(run))]) == 10
    assert takt_s([[timed(None, 0), timed(None, 4)]]) == 4


def test_a_break_between_runs_or_in_one_is_no_takt() -> None:
    morning = [timed(f"{n}", 10 * n) for n in range(5)]
    evening = [timed(f"e{n}", 40_000 + 10 * n) for n in range(5)]
    assert takt_s([morning, evening]) == 10
    assert takt_s([morning + evening]) == 10
    assert takt_s([[timed("A", 0)], [], [timed("B", None)]]) is None


def test_late_is_over_the_budget() -> None:
    run = [timed("A", 0, took_s=1), timed("B", 1, took_s=2), timed("C", 2, took_s=3)]
    assert figures([run], 2.0)["late_share"] == pytest.approx(1 / 3)
    assert figures([run], None)["late_share"] is None
    assert figures([[]], 2.0) == {
        "pictures": 0, "measured": 0, "late_share": None, "takt_s": None,
        **{f"{name}_p{p}_s": None for name in ("queue", "latency") for p in (50, 95, 99)},
    }  # fmt: skip


def test_a_clock_that_is_not_believed_measures_nothing() -> None:
    doubted = timed("A", 0)._replace(by_receipt=True)
    ahead = timed("B", 5, took_s=-1)
    found = figures([[doubted, ahead]], 1.0)
    assert (found["pictures"], found["measured"], found["latency_p50_s"]) == (2, 0, None)
