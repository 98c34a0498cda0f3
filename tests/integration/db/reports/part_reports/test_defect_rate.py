"""Defect rate and first-pass yield against a count of every part, one by one, in plain Python."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from db.reports.part_reports.defect_rate import defect_rate
from db.reports.part_reports.filters import GROUPS, PartFilters
from db.reports.report import Report
from tests.support.counted_parts import BERLIN, SATURDAY, Made, random_parts, store, usual
from tests.support.part_truth import expected, groups_of

KOLKATA = ZoneInfo("Asia/Kolkata")
LORD_HOWE = ZoneInfo("Australia/Lord_Howe")  # its clock changes by half an hour


COUNTS = (
    *("parts", "conforming", "nonconforming", "open", "by_model", "by_person"),
    *("reinspections", "unserialised", "by_receipt"),
)


def _instant(cell: Any) -> Any:
    """By the plant's clock, the hour that comes twice would be one: datetimes compare so."""
    return cell.astimezone(UTC) if isinstance(cell, datetime) else cell


def counted(report: Report, by: Sequence[str]) -> dict[tuple[Any, ...], Counter[str]]:
    found = {
        tuple(_instant(row[name]) for name in by): +Counter({name: row[name] for name in COUNTS})
        for row in report.rows
    }
    assert len(found) == len(report.rows)
    return found


@pytest.mark.parametrize("zone", [BERLIN, KOLKATA, LORD_HOWE], ids=str)
def test_every_grouping_equals_a_count(engine: Engine, zone: ZoneInfo) -> None:
    """Over a night in which clocks change: Berlin's on 29 March, Lord Howe's on 5 April."""
    parts = random_parts(1, 600, days=9)
    store(engine, parts, usual(zone))
    for by in [(), *((name,) for name in GROUPS), *combinations(GROUPS, 2)]:
        found = counted(defect_rate(engine, PartFilters(), by, zone), by)
        assert found == expected(parts, by, zone), by
        assert list(found) == sorted(found), by


def test_any_range_is_exact_for_the_range_it_says(engine: Engine) -> None:
    parts = random_parts(2, 1500, days=6)
    store(engine, parts, usual())
    rng = random.Random(3)
    for _ in range(60):
        since, until = sorted(SATURDAY + timedelta(minutes=rng.randrange(-60, 9000)) for _ in "12")
        if since == until:
            continue
        line = rng.choice([None, "L1", "L2"])
        by = rng.choice([("line",), ("shift", "day"), ("hour",), ("quarter", "line"), ()])
        report = defect_rate(engine, PartFilters(since=since, until=until, line=line), by, BERLIN)
        first, last = report.since, report.until
        assert first is not None
        assert last is not None
        assert timedelta() <= since - first < timedelta(minutes=15)
        assert timedelta() <= last - until < timedelta(minutes=15)
        assert bool(report.notes) == ((first, last) != (since, until))

        def keep(part: Made) -> bool:
            inside = first <= part.made_at < last  # noqa: B023 - called at once
            return inside and line in (None, part.line)  # noqa: B023

        found = counted(report, by)
        assert {k: v for k, v in found.items() if v} == expected(parts, by, keep=keep)


def test_open_ranges(engine: Engine) -> None:
    parts = random_parts(4, 800)
    store(engine, parts, usual())
    at = SATURDAY + timedelta(hours=31, minutes=15)
    since = defect_rate(engine, PartFilters(since=at), ("line",), BERLIN)
    assert counted(since, ("line",)) == expected(parts, ("line",), keep=lambda p: p.made_at >= at)
    until = defect_rate(engine, PartFilters(until=at), ("line",), BERLIN)
    assert counted(until, ("line",)) == expected(parts, ("line",), keep=lambda p: p.made_at < at)
    assert (since.since, since.until, since.notes) == (at, None, ())


def test_a_shift_from_ten_to_six_sums_exactly(engine: Engine) -> None:
    """Its range is no range of quarter hours; a range of several calendars goes by those."""
    starts = datetime(2026, 3, 27, 4, 50, tzinfo=UTC)  # 05:50 in Berlin
    ends = starts + timedelta(hours=8)
    second = timedelta(seconds=1)
    times = [starts - second, starts, ends - second, ends]
    parts = [Made(at, line=line) for at in times for line in ("L1", "L2")]
    store(engine, parts, usual())
    shift = PartFilters(since=starts, until=ends, line="L1")
    (row,) = defect_rate(engine, shift, ("day", "shift"), BERLIN).plain_rows()
    assert (row["day"], row["shift"], row["parts"]) == ("2026-03-27", "early", 2)
    assert defect_rate(engine, shift, (), BERLIN).notes == ()

    both = defect_rate(engine, PartFilters(since=starts, until=ends), ("line",), BERLIN)
    assert [row["parts"] for row in both.rows] == [4, 4]
    assert both.notes == (
        "counted: 2026-03-27T05:45+01:00 to 2026-03-27T14:00+01:00; times are widened to quarter "
        "hours and beginnings of shifts",
    )


def test_a_line_without_a_calendar_goes_by_the_plant_s(engine: Engine) -> None:
    plant = {"": usual()["L1"], "L1": usual()[""]}
    starts = datetime(2026, 3, 28, 4, 50, tzinfo=UTC)  # 05:50 in Berlin
    parts = [
        Made(starts + timedelta(seconds=n), line=line) for n in (-1, 0) for line in ("L1", "L2")
    ]
    store(engine, parts, plant)
    for line, count in (("L2", 1), ("L1", 2)):
        report = defect_rate(engine, PartFilters(since=starts, line=line), (), BERLIN)
        assert report.rows[0]["parts"] == count
        assert bool(report.notes) == (line == "L1")


@pytest.mark.parametrize(
    "only",
    [
        {"line": "L1"},
        {"product": "plug", "lot": "B"},
        {"work_order": "W1"},
        {"lot": ""},
        {"shift": "night", "line": "L2"},
    ],
    ids=str,
)
def test_filters_narrow(engine: Engine, only: dict[str, str]) -> None:
    parts = random_parts(5, 700)
    store(engine, parts, usual())
    since, until = SATURDAY + timedelta(hours=5), SATURDAY + timedelta(hours=50)

    def keep(part: Made) -> bool:
        groups = groups_of(part)
        named = all(groups[name] == value for name, value in only.items())
        return named and since <= part.made_at < until

    filters = PartFilters(since=since, until=until, **only)  # type: ignore[arg-type]
    for by in (("line", "product"), ("hour",)):
        found = defect_rate(engine, filters, by, BERLIN)
        assert counted(found, by) == expected(parts, by, keep=keep)
