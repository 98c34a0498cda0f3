"""What BI tools read is what the reports say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from db.reports.part_reports.defect_rate import first_pass
from db.reports.part_reports.filters import PartFilters
from db.session import reading
from quality.shifts.shift_calendar import quarter_hour
from tests.support.counted_parts import BERLIN, random_parts, shift_of, store, usual
from tests.support.part_truth import expected


def selected(engine: Engine, query: str) -> list[dict[str, Any]]:
    with reading(engine) as connection:
        return [dict(row) for row in connection.execute(text(query)).mappings()]


def instant(value: datetime | str) -> datetime:
    """As PostgreSQL gives it, or as SQLite keeps it."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value


@pytest.mark.parametrize("view", ["report_part_counts", "report_part_shifts"])
def test_counts_sum_to_what_the_report_says(engine: Engine, view: str) -> None:
    parts = random_parts(11, 600)
    store(engine, parts, usual())
    rows = selected(
        engine,
        "SELECT shift, lot, CAST(SUM(parts) AS BIGINT) AS parts,"
        " CAST(COALESCE(SUM(parts) FILTER (WHERE disposition = 'open'), 0) AS BIGINT) AS still"
        f" FROM {view} WHERE NOT reinspection GROUP BY shift, lot",
    )
    found = {(row["shift"], row["lot"]): (row["parts"], row["still"]) for row in rows}
    truth = expected(parts, ("shift", "lot"))
    assert found == {key: (count["parts"], count["open"]) for key, count in truth.items()}


def test_a_slice_lies_in_its_quarter_hour(engine: Engine) -> None:
    store(engine, random_parts(12, 300), usual())
    for row in selected(engine, "SELECT slice_at, quarter_at FROM report_part_counts"):
        assert instant(row["quarter_at"]) == quarter_hour(instant(row["slice_at"]))


def test_the_rates_of_a_shift_are_the_report_s(engine: Engine) -> None:
    parts = random_parts(13, 900)
    store(engine, parts, usual())
    by = ("line", "product", "day", "shift")
    reported = first_pass(engine, PartFilters(), by, BERLIN).rows
    report: dict[tuple[str, ...], Any] = {tuple(str(row[n]) for n in by): row for row in reported}
    views: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for row in selected(engine, "SELECT * FROM report_part_rates"):
        key = (row["line"], row["product"], str(row["plant_day"]), row["shift"])
        views.setdefault(key, []).append(row)
    assert views.keys() == report.keys()
    counts = ("parts", "conforming", "nonconforming", "open", "by_model", "by_person")
    counts += ("reinspections", "unserialised", "by_receipt")
    rates = ("rate", "rate_low", "rate_high", "band_low", "band_high", "first_pass_yield")
    for key, rows in views.items():
        for name in counts:  # on a day, two gaps between shifts have one name
            assert sum(row[name] for row in rows) == report[key][name]
        if len(rows) == 1:
            for name in rates:
                assert rows[0][name] == pytest.approx(report[key][name], abs=1e-12), name


def test_a_row_a_counted_pass(engine: Engine) -> None:
    parts = [part for part in random_parts(14, 200) if part.serialised]
    store(engine, parts, usual())
    rows = {row["serial"]: row for row in selected(engine, "SELECT * FROM report_parts")}
    assert len(rows) == len(parts)
    for part in parts:
        row, span = rows[part.serial], shift_of(part, usual())
        assert bool(row["reinspection"]) == part.again
        assert (row["disposition"], row["classes"]) == (part.disposition, part.classes)
        assert (row["shift"], str(row["plant_day"])) == (span.name, span.day.isoformat())
        assert instant(row["quarter_at"]) <= part.made_at
        assert part.made_at - instant(row["quarter_at"]) < timedelta(minutes=15)
