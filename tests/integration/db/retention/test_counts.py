"""A purge of counts forgets every part that is over, whatever else lies before it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from db.base import table_of
from db.calendars.ahead import spans_ensured
from db.inspections.inspections import commit_inspections
from db.retention.counts import purge_rollups
from db.retention.queries import purge_inspections
from db.session import reading
from db.tables import Part
from tests.support.committed import committed
from tests.support.records import a_record

EVERYTHING = ("cable", ["cable"])
NOW = datetime.now(UTC)


@pytest.fixture
def plant(engine: Engine) -> Engine:
    spans_ensured(engine, UTC)
    return engine


def made(engine: Engine, serial: str, days_ago: int) -> None:
    at = NOW - timedelta(days=days_ago)
    record = a_record(part=serial, product="cable", captured_at=at, decided_at=at)
    commit_inspections(engine, [record], UTC)


def serials(engine: Engine) -> list[tuple[str, int]]:
    c = table_of(Part).c
    with reading(engine) as connection:
        return [
            tuple(row)
            for row in connection.execute(
                select(c.serial, c.pass_number).order_by(c.serial, c.pass_number)
            )
        ]


def test_parts_that_come_again_keep_no_others(plant: Engine) -> None:
    """Carriers go round, a serial number each: their first passes are older than the rest."""
    for carrier in ("C1", "C2", "C3"):
        made(plant, carrier, 20)
        made(plant, carrier, 2)
    made(plant, "P1", 15)
    made(plant, "P2", 14)
    while committed(plant, purge_inspections, EVERYTHING, NOW, 100):
        pass
    while committed(plant, purge_rollups, EVERYTHING, NOW - timedelta(days=10), 2):
        pass
    assert serials(plant) == [(c, n) for c in ("C1", "C2", "C3") for n in (1, 2)]
