"""Workers take locks in one order, so that they wait for each other and never in a circle.

Each test holds the lock that comes first, lets a commit run into it, and then takes the one that
comes second. A commit that took its locks in the order of its records would hold that one already.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, Engine, Table, func, select, text

from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.inspections.rollup import discrepancies, rollup_key
from db.inspections.rows import inspection_row
from db.parts.recount import recount
from db.parts.recount_there import resettle
from db.parts.recounted import Settled
from db.retention.counts import purge_rollups
from db.retention.queries import purge_inspections
from db.session import engine_for, reading, transaction
from db.tables import Inspection, InspectionHourly, Line, Part, PartCount
from tests.support.records import a_record


@pytest.fixture
def engine(postgresql_url: str) -> Engine:
    """PostgreSQL only: a SQLite file has one lock."""
    return engine_for(postgresql_url)


def contend(
    engine: Engine, records: list[InspectionRecord], table: Table, rows: list[dict[str, Any]]
) -> frozenset[UUID]:
    """Insert `rows[0]`, let a commit of `records` wait for it, insert `rows[1]`, undo both."""
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as connection:
            connection.execute(table.insert(), rows[0])
            commit = pool.submit(commit_inspections, engine, records, UTC)
            wait_until_blocked(engine)
            connection.execute(table.insert(), rows[1])
            undo(connection)
        return commit.result(timeout=30)


def undo(connection: Connection) -> None:
    connection.get_transaction().rollback()  # type: ignore[union-attr]


def wait_until_blocked(engine: Engine, waiting: int = 1) -> None:
    query = """
        SELECT count(*) FROM pg_stat_activity
        WHERE datname = current_database() AND wait_event_type = 'Lock'
    """
    deadline = time.monotonic() + 10
    while True:
        with reading(engine) as connection:
            if connection.execute(text(query)).scalar_one() >= waiting:
                return
        assert time.monotonic() < deadline, "the commit never waited"
        time.sleep(0.02)


def test_the_same_pictures(engine: Engine) -> None:
    first, second = (a_record(id=UUID(int=n)) for n in (1, 2))
    rows = [inspection_row(first), inspection_row(second)]
    new = contend(engine, [second, first], table_of(Inspection), rows)
    assert new == {first.id, second.id}


def test_the_same_roll_up_rows(engine: Engine) -> None:
    first, second = a_record(id=UUID(int=2), lot="A"), a_record(id=UUID(int=1), lot="B")
    keys = [rollup_key(inspection_row(record), UTC)._asdict() for record in (first, second)]
    rows = [{**key, "count": 1} for key in keys]
    contend(engine, [first, second], table_of(InspectionHourly), rows)
    assert discrepancies(engine, UTC) == {}


def test_the_same_new_lines(engine: Engine) -> None:
    names = [f"L{n}" for n in range(8)]
    records = [a_record(line=name) for name in reversed(names)]
    rows = [{"code": name, "name": name} for name in (names[0], names[-1])]
    assert len(contend(engine, records, table_of(Line), rows)) == 8


def test_a_part_whose_row_a_purge_takes_at_that_moment_is_counted(engine: Engine) -> None:
    """Two pictures of it wait for the purge; what one finds gone the other must not count twice."""
    commit_inspections(engine, [a_record(part="P-1", captured_at=None)], UTC)
    everything, product = datetime.now(UTC) + timedelta(days=9), ("cable", ["cable"])
    with transaction(engine) as connection:
        purge_inspections(connection, product, everything, 10)
    views = [a_record(part="P-1", captured_at=None, camera=name) for name in ("C1", "C2")]
    with ThreadPoolExecutor(2) as pool:
        while parts_left(engine):
            with transaction(engine) as connection:
                assert purge_rollups(connection, product, everything, 10)
                if not parts_left(engine, connection):
                    commits = [pool.submit(commit_inspections, engine, [v], UTC) for v in views]
                    wait_until_blocked(engine, 2)
        for commit in commits:
            commit.result(timeout=30)
    with reading(engine) as connection:
        found = connection.execute(select(Part.views, Part.counted)).all()
        counted = connection.scalar(select(func.sum(PartCount.parts)))
    assert (found, counted) == ([(2, True)], 1)
    assert recount(engine, mend=False).right


def test_parts_that_are_settled_again(engine: Engine) -> None:
    """Rows that are missing are made before any is locked, as whoever commits does it."""
    commit_inspections(engine, [a_record(part="P-1")], UTC)
    serials = [("cable", "P-1"), ("cable", "P-2")]
    lock = select(Part.serial).where(Part.serial == "P-1").with_for_update()
    with ThreadPoolExecutor(1) as pool:
        with transaction(engine) as connection:
            connection.execute(table_of(Part).insert(), a_lock_row("P-2"))
            again = pool.submit(settled_again, engine, serials)
            wait_until_blocked(engine)
            assert connection.scalar(lock) == "P-1"
            undo(connection)
        assert again.result(timeout=30).changed == 0


def settled_again(engine: Engine, serials: list[tuple[str, str]]) -> Settled:
    with transaction(engine) as connection:
        return resettle(connection, serials, [])


def a_lock_row(serial: str) -> dict[str, Any]:
    texts = ("line", "lot", "work_order", "model_version", "classes", "decided_by", "why")
    open_ = dict.fromkeys(("disposition", "model_disposition"), "open")
    key = {"product": "cable", "serial": serial, "scope": "", "pass_number": 1}
    numbers = {"counted": False, "views": 0, "by_receipt": False}
    return {**key, **numbers, **open_, **dict.fromkeys((*texts, "model_classes"), "")}


def parts_left(engine: Engine, connection: Connection | None = None) -> bool:
    query = select(func.count()).select_from(Part)
    if connection is not None:
        return bool(connection.scalar(query))
    with reading(engine) as another:
        return bool(another.scalar(query))
