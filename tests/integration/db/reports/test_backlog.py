"""Open parts against a count of every part."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select

from db.base import table_of
from db.reports.backlog import backlog
from db.reports.part_reports.filters import PartFilters
from db.session import transaction
from db.tables import Part, PartCount, PartShiftCount
from linewatch.errors import ReportError
from quality.shifts.shift_calendar import quarter_hour
from tests.support.counted_parts import BERLIN, Made, part_row, random_parts, shift_of, store, usual


def oldest(part: Made) -> datetime:
    """What is known of a part's time: of one without a serial, its slice."""
    if part.serialised:
        return part.made_at
    return max(quarter_hour(part.made_at), shift_of(part, usual()).starts)


@pytest.mark.parametrize(
    ("filters", "keep"),
    [
        (PartFilters(), lambda _: True),
        (PartFilters(line="L1"), lambda p: p.line == "L1"),
        (PartFilters(product="plug", lot="A"), lambda p: (p.product, p.lot) == ("plug", "A")),
    ],
)
def test_open_parts_equal_a_count_of_every_part(
    engine: Engine, filters: PartFilters, keep: Any
) -> None:
    parts = random_parts(21, 500)
    store(engine, parts, usual())
    waiting: dict[tuple[str, str, str], list[Made]] = defaultdict(list)
    for part in parts:
        if part.disposition == "open" and keep(part):
            waiting[part.line, part.product, part.why].append(part)
    report = backlog(engine, filters, BERLIN)
    assert {
        (row["line"], row["product"], row["why"]): (
            row["parts"], row["unserialised"], row["oldest_at"]
        )
        for row in report.rows
    } == {
        key: (len(some), sum(not p.serialised for p in some), min(map(oldest, some)))
        for key, some in waiting.items()
    }  # fmt: skip
    ages = [float(row["oldest_age_h"]) for row in report.rows]  # type: ignore[arg-type]
    assert ages == sorted(ages, reverse=True)
    assert report.rows[0]["oldest_at"].tzinfo == BERLIN  # type: ignore[union-attr]
    assert report.until is not None


def test_ages_are_hours_up_to_now(engine: Engine) -> None:
    now = datetime.now(UTC)
    kinds = {"disposition": "open", "why": "review", "decided_by": ""}
    parts = [Made(now - timedelta(hours=h), serial=f"S{h}", **kinds) for h in (2, 30)]
    store(engine, parts, usual())
    (row,) = backlog(engine, PartFilters(), UTC).rows
    assert (row["parts"], row["unserialised"]) == (2, 0)
    assert row["oldest_age_h"] == pytest.approx(30, abs=0.1)


def test_what_came_to_nothing_or_is_counted_elsewhere_is_not_counted(engine: Engine) -> None:
    now = datetime.now(UTC)
    waiting = Made(now, disposition="open", why="review", decided_by="", serialised=False)
    store(engine, [waiting], usual())
    with transaction(engine) as connection:
        for table in (PartCount, PartShiftCount):
            rows = connection.execute(select(table_of(table))).mappings().all()
            earlier = {"shift_at": now - timedelta(days=9), "parts": 0}
            earlier |= {"slice_at": now - timedelta(days=9)} if table is PartCount else {}
            connection.execute(table_of(table).insert(), [{**row, **earlier} for row in rows])
        # Something happened to the picture after its commit, which left it open.
        connection.execute(table_of(Part).insert(), part_row(waiting, shift_of(waiting, usual())))
    (row,) = backlog(engine, PartFilters(), UTC).rows
    assert (row["parts"], row["unserialised"]) == (1, 1)
    assert float(row["oldest_age_h"]) < 1  # type: ignore[arg-type]


def test_no_open_part_is_a_sentence_and_an_unknown_name_an_error(engine: Engine) -> None:
    store(engine, [Made(datetime.now(UTC), serial="S")], usual())
    report = backlog(engine, PartFilters(line="L1"), UTC)
    assert (report.rows, report.empty) == ((), "no part is open")
    with pytest.raises(ReportError, match=r"no line is called 'L9'"):
        backlog(engine, PartFilters(line="L9"), UTC)
