"""Spans are made ahead of time, from the calendars that hold, without holes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from db import audit
from db.base import table_of
from db.calendars.ahead import AHEAD, complaints, ensure_spans, spans_ensured
from db.calendars.imports import imported
from db.calendars.recount import recounted
from db.calendars.spans import spans
from db.calendars.stored import calendar_of, stored
from db.inspections.inspections import commit_inspections
from db.reports.shifts import Shift, set_shifts
from db.session import reading, transaction
from db.tables import ShiftSpan
from linewatch.errors import CalendarError
from quality.shifts.shift_calendar import ShiftInstance
from tests.support.calendars import a_calendar, an_import, specs
from tests.support.committed import committed
from tests.support.database_users import Users, database_users
from tests.support.records import a_record

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
TWO = {"day": ("04:10", "16:10"), "dark": ("16:10", "04:10")}
YEARS = timedelta(days=2000)


def all_of(engine: Engine, line: str = "") -> list[ShiftInstance]:
    """A line's own rows, checked to have no hole and no overlap."""
    table = table_of(ShiftSpan)
    with reading(engine) as connection:
        rows = connection.execute(
            select(table).where(table.c.line == line).order_by(table.c.starts_at)
        )
        found = [
            ShiftInstance(row.starts_at, row.ends_at, row.shift, row.plant_day) for row in rows
        ]
    for before, after in pairwise(found):
        assert before.starts < before.ends == after.starts
    return found


def check(engine: Engine, line: str = "") -> None:
    """Every span is what the calendars that hold say."""
    found, calendars = all_of(engine, line), calendar_of(engine, line)
    rng = random.Random(1)
    length = (found[-1].ends - found[0].starts).total_seconds()
    for _ in range(60):
        when = found[0].starts + timedelta(seconds=rng.uniform(0, length - 1))
        (span,) = [one for one in found if when in one]
        assert span == calendars.at(when)


def test_the_usual_shifts_are_made_once(engine: Engine) -> None:
    made = committed(engine, ensure_spans, BERLIN, NOW)
    found = all_of(engine)
    assert len(found) == made
    assert found[0].starts <= NOW - timedelta(days=400)
    assert found[-1].ends >= NOW + AHEAD
    assert {one.name for one in found} == {"early", "late", "night"}
    lengths = {one.ends - one.starts for one in found}
    assert lengths == {timedelta(hours=hours) for hours in (7, 8, 9)}
    check(engine)
    assert committed(engine, ensure_spans, BERLIN, NOW) == 0
    assert committed(engine, ensure_spans, BERLIN, NOW + timedelta(days=20)) == 0, "not every night"
    later = NOW + timedelta(days=40)
    assert committed(engine, ensure_spans, BERLIN, later) > 100
    assert all_of(engine)[-1].ends >= later + AHEAD
    check(engine)


def test_they_reach_back_to_the_first_picture(engine: Engine) -> None:
    committed(engine, ensure_spans, UTC, NOW)
    old = a_record(decided_at=NOW - timedelta(days=1000), captured_at=NOW - timedelta(days=1020))
    commit_inspections(engine, [old], UTC)
    assert committed(engine, ensure_spans, UTC, NOW) > 1000
    assert all_of(engine)[0].starts <= NOW - timedelta(days=1020)
    check(engine)


def test_several_at_once_make_them_once(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(
            pool.map(lambda _: committed(engine, ensure_spans, BERLIN, NOW), range(4), timeout=60)
        )
    assert sorted(made)[:3] == [0, 0, 0]
    assert len(all_of(engine)) == max(made)


def test_the_old_table_is_the_default(engine: Engine) -> None:
    committed(engine, set_shifts, [Shift("day", 8, 16)])
    committed(engine, ensure_spans, UTC, NOW)
    (day,) = spans(engine, "L1", NOW, NOW)
    assert (day.name, day.starts.hour, day.ends.hour) == ("day", 8, 16)
    assert {one.name for one in all_of(engine)} == {"day", "no shift"}
    check(engine)


def test_the_default_follows_the_time_zone_until_a_part_is_counted(engine: Engine) -> None:
    committed(engine, ensure_spans, UTC, NOW)
    committed(engine, ensure_spans, BERLIN, NOW)
    assert spans(engine, "", NOW, NOW)[0].starts.hour == 12
    assert list(complaints(engine, BERLIN, NOW)) == []
    commit_inspections(engine, [a_record(part=None)], UTC)
    assert committed(engine, ensure_spans, UTC, NOW) == 0
    (words,) = complaints(engine, UTC, NOW)
    assert "shifts in Europe/Berlin, and LINEWATCH_PLANT_TIMEZONE is UTC" in words
    an_import(engine, a_calendar(date(2026, 6, 1), TWO))
    assert list(complaints(engine, UTC, NOW)) == [], "now it is somebody's wish"


def test_spans_that_end_soon_are_complained_of(engine: Engine) -> None:
    assert "no shifts of the plant were made yet" in next(complaints(engine, UTC, NOW))
    committed(engine, ensure_spans, UTC, NOW)
    assert list(complaints(engine, UTC, NOW + AHEAD - timedelta(days=61))) == []
    (words,) = complaints(engine, UTC, NOW + AHEAD - timedelta(days=59))
    assert "the shifts of the plant are made up to 2028-06-0" in words


@pytest.fixture
def plant(engine: Engine) -> Engine:
    committed(engine, ensure_spans, BERLIN)
    return engine


def today() -> date:
    return datetime.now(UTC).date()


def test_an_import_leaves_what_was_before(plant: Engine) -> None:
    before, first = all_of(plant), today() - timedelta(days=30)
    (change,) = an_import(plant, a_calendar(first, TWO, timezone="Europe/Berlin"))
    assert change.line == ""
    after = all_of(plant)
    kept = [one for one in before if one.ends <= change.since]
    assert after[: len(kept)] == kept
    cut = after[len(kept)]
    assert (cut.name, cut.day, cut.starts) == ("night", first - timedelta(days=1), change.since)
    assert cut.ends.astimezone(BERLIN).strftime("%H:%M") == "04:10"
    assert {one.name for one in after[len(kept) + 1 :]} == {"day", "dark"}
    check(plant)
    (deed,) = audit.newest(plant, 1)
    assert (deed.actor, deed.action, deed.subject) == ("ann", "shifts.import", "all lines")
    # An earlier day replaces what was imported for a later one.
    an_import(plant, a_calendar(first - timedelta(days=5), {"all": ("06:00", "06:00")}))
    with reading(plant) as connection:
        assert [spec.valid_from for spec in stored(connection)[""]] == [
            date.min,
            first - timedelta(days=5),
        ]
    check(plant)


def test_a_line_has_its_own_from_its_day_on_and_the_plants_before(plant: Engine) -> None:
    first = today() + timedelta(days=10)
    an_import(plant, a_calendar(first, TWO, lines=["L1"]))
    check(plant, "L1")
    check(plant)
    assert all_of(plant, "L2") == []
    noon = datetime.combine(first, datetime.min.time(), UTC) + timedelta(hours=12)
    assert [spans(plant, line, noon, noon)[0].name for line in ("L1", "L2")] == ["day", "early"]
    # What the plant changes before that day is the line's too; after it, it is not.
    changes = an_import(
        plant,
        a_calendar(first - timedelta(days=5), {"all": ("06:00", "06:00")}),
        a_calendar(first + timedelta(days=5), {"half": ("06:00", "18:00")}),
    )
    assert [change.line for change in changes] == ["", "L1"]
    check(plant, "L1")
    check(plant)
    assert {one.name for one in all_of(plant, "L1")} >= {"all", "day"}
    assert "half" not in {one.name for one in all_of(plant, "L1")}
    later = an_import(plant, a_calendar(first, {"half": ("06:00", "18:00")}))
    assert [change.line for change in later] == [""]
    check(plant, "L1")


def test_a_day_that_is_far_off(plant: Engine) -> None:
    """What is not made ahead is not made for it, and of the past no more than there is."""
    before = all_of(plant)
    an_import(plant, a_calendar(today() + YEARS, TWO))
    assert all_of(plant) == before
    check(plant)
    an_import(plant, a_calendar(date(1999, 1, 1), TWO, timezone="Asia/Kathmandu"))
    after = all_of(plant)
    assert abs(len(after) - 2 * (after[-1].ends - after[0].starts).days) < 3
    check(plant)


def test_a_span_of_other_times_is_cut_and_not_overlapped(plant: Engine) -> None:
    """As when the law changed the clocks since it was made."""
    first, table = today(), table_of(ShiftSpan)
    midnight = calendar_of(plant, "").midnight(first)
    with transaction(plant) as connection:
        connection.execute(table.delete())
        row = {"line": "", "shift": "odd", "plant_day": first}
        times = (midnight - timedelta(days=500), midnight + timedelta(days=5))
        connection.execute(table.insert(), {**row, "starts_at": times[0], "ends_at": times[1]})
    (change,) = an_import(plant, a_calendar(first, TWO, timezone="Europe/Berlin"))
    odd, night, *others = all_of(plant)
    assert (odd.name, odd.ends, night.name) == ("odd", change.since, "night")
    assert {one.name for one in others} == {"day", "dark"}


def test_without_a_calendar_of_the_plant_none_of_a_line_is_taken(engine: Engine) -> None:
    with pytest.raises(CalendarError, match="run `linewatch db upgrade`"):
        committed(engine, imported, specs(a_calendar(today(), TWO, lines=["L1"])), by="ann")
    with pytest.raises(CalendarError, match="run `linewatch db upgrade`"):
        calendar_of(engine, "L1")


@pytest.fixture
def users(postgresql_url: str) -> Iterator[Users]:
    with database_users(postgresql_url) as made:
        yield made


def test_who_may_not_make_them_says_so_and_goes_on(
    users: Users, caplog: pytest.LogCaptureFixture
) -> None:
    worker, maintenance = users.engine("worker"), users.engine("maintenance")
    assert spans_ensured(worker, UTC) == 0
    assert "for which this user has no right" in caplog.text
    caplog.clear()
    assert spans_ensured(users.owner, UTC) > 1000
    assert spans_ensured(worker, UTC) == 0
    assert caplog.text == ""
    assert committed(maintenance, ensure_spans, UTC, datetime.now(UTC) + timedelta(days=90)) > 100
    first = today() - timedelta(days=3)
    noon = datetime.combine(today() - timedelta(days=1), time(12), UTC)  # of one plant day
    record = a_record(part=None, captured_at=noon, decided_at=noon)
    commit_inspections(worker, [record], UTC)
    console = users.engine("console")
    done = recounted(console, an_import(console, a_calendar(first, TWO)))
    assert done.days == 1
