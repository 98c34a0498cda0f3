"""A period and the one before it, against a count of every part."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import Engine

from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.trend import trend
from linewatch.errors import ReportError
from tests.support.counted_parts import BERLIN, SATURDAY, Made, random_parts, store, usual
from tests.support.part_truth import expected


def test_a_trend_compares_with_as_long_a_time_before(engine: Engine) -> None:
    parts = random_parts(7, 1200, days=4)
    store(engine, parts, usual())
    middle = SATURDAY + timedelta(days=2)
    span = timedelta(hours=37, minutes=30)
    filters = PartFilters(since=middle, until=middle + span)
    report = trend(engine, filters, ("line", "lot"), BERLIN)
    now, before = (
        expected(parts, ("line", "lot"), keep=lambda p, at=at: at <= p.made_at < at + span)
        for at in (middle, middle - span)
    )
    assert {(row["line"], row["lot"]) for row in report.rows} == now.keys() | before.keys()
    for row in report.rows:
        new, old = now[row["line"], row["lot"]], before[row["line"], row["lot"]]
        assert (row["parts"], row["before_parts"]) == (new["parts"], old["parts"])
        rates = [c["nonconforming"] / (c["parts"] - c["open"]) for c in (new, old)]
        assert [row["rate"], row["before_rate"]] == rates
        assert row["difference"] == rates[0] - rates[1]
        assert row["difference_low"] < row["difference"] < row["difference_high"]  # type: ignore[operator]
    assert report.notes == ("compared with 2026-03-28T14:30+01:00 to 2026-03-30T05:00+02:00",)
    with pytest.raises(ReportError, match="cannot group by 'day'; choose from line"):
        trend(engine, filters, ("day",), BERLIN)
    with pytest.raises(ReportError, match="say since when"):
        trend(engine, PartFilters(), (), BERLIN)


def test_a_group_that_is_new_has_no_difference(engine: Engine) -> None:
    store(engine, [Made(SATURDAY, lot="A", serial="1"), Made(SATURDAY, lot="B")], usual())
    since = SATURDAY
    report = trend(
        engine, PartFilters(since=since, until=since + timedelta(days=1)), ("lot",), BERLIN
    )
    assert [(r["lot"], r["parts"], r["before_parts"], r["difference"]) for r in report.rows] == [
        ("A", 1, 0, None),
        ("B", 1, 0, None),
    ]
