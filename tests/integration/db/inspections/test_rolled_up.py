"""Hours that are summed up for reports stay the sum of what is counted, whoever changes it."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, text

from db.base import table_of
from db.inspections import requeues
from db.inspections.inspections import commit_inspections
from db.inspections.rolled_up import MARK, roll_hours, wrong_hours
from db.reports import pictures
from db.reports.groups import Filters
from db.retention.counts import purge_rollups
from db.session import engine_for, reading, transaction
from db.tables import InspectionHourly, PictureHour, RetentionMark
from producer.contract import Verdict
from tests.support.committed import committed
from tests.support.records import NOON, a_record, random_records

BY = ("line", "camera", "day", "shift", "product", "lot")
WAYS = [*Verdict, Verdict.PASS]


@pytest.fixture
def engine(postgresql_url: str) -> Engine:
    return engine_for(postgresql_url)


def reported(engine: Engine) -> list[Any]:
    rates = pictures.picture_rates(engine, Filters(), BY, UTC)
    return [[one.cells() for one in rates], [r.cells() for r in _models(engine)]]


def _models(engine: Engine) -> list[Any]:
    return pictures.model(engine, Filters(), UTC)


def begin_anew(engine: Engine) -> None:
    """As if nothing had been summed up yet."""
    marks = table_of(RetentionMark)
    with transaction(engine) as connection:
        connection.execute(table_of(PictureHour).delete())
        connection.execute(marks.delete().where(marks.c.kind == MARK))


def check(engine: Engine) -> None:
    with reading(engine) as connection:
        assert wrong_hours(connection) == 0


def counted(engine: Engine, model: Any, column: Any) -> int:
    with reading(engine) as connection:
        return int(connection.scalar(select(func.coalesce(func.sum(column), 0))) or 0)


def test_reports_are_the_same_before_and_after(engine: Engine) -> None:
    begin_anew(engine)
    now = datetime.now(UTC)
    recent = [a_record(decided_at=now - timedelta(hours=hours)) for hours in (0, 30, 71, 80)]
    commit_inspections(engine, [*random_records(3, 300, days=3), *recent], UTC)
    before = reported(engine)
    assert counted(engine, PictureHour, PictureHour.passed) == 0
    until = roll_hours(engine)
    assert until is not None
    assert now - timedelta(days=3, hours=1) < until <= now - timedelta(days=3)
    assert counted(engine, PictureHour, PictureHour.passed) > 0
    assert reported(engine) == before
    check(engine)
    assert roll_hours(engine) == until
    check(engine)


def test_what_comes_late_is_judged_again_or_purged_moves_them(engine: Engine) -> None:
    roll_hours(engine)
    records = random_records(4, 200, days=3)
    commit_inspections(engine, records, UTC)
    assert counted(engine, PictureHour, PictureHour.passed) > 0
    dead = [record.id for record in records if record.verdict is Verdict.DEAD_LETTER][:4]
    assert committed(engine, requeues.allow, 1, dead, by="ann") == sorted(dead)
    again = [a_record(id=id_, decided_at=NOON + timedelta(days=9)) for id_ in dead]
    assert commit_inspections(engine, again, UTC) == set(dead)
    check(engine)
    before = reported(engine)
    everything = ("cable", ["cable", "plug"])
    while committed(engine, purge_rollups, everything, NOON + timedelta(days=1), 20):
        check(engine)
    assert reported(engine) != before
    assert sum(row["inspected"] for row in reported(engine)[0]) > 0


def test_a_verdict_that_comes_late_meets_who_sums_up(engine: Engine) -> None:
    begin_anew(engine)
    rng = random.Random(5)

    def late(_: int) -> None:
        at = NOON + timedelta(minutes=rng.randrange(300))
        commit_inspections(engine, [a_record(verdict=rng.choice(WAYS), decided_at=at)], UTC)

    def sum_up(turn: int) -> None:
        roll_hours(engine, again=turn % 2 == 0)

    with ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(late, n) for n in range(40)]
        jobs += [pool.submit(sum_up, n) for n in range(6)]
        for job in jobs:
            job.result()
    check(engine)
    with reading(engine) as connection:
        summed = connection.scalar(
            text(
                "SELECT sum(passed + defects + review + rejected + dead_letter) FROM picture_hours"
            )
        )
    assert summed == 40 == counted(engine, InspectionHourly, InspectionHourly.count)
