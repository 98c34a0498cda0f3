"""Pictures are found by their file, whatever day they are of, without reading the table."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from db.base import table_of
from db.inspections.by_file import File, of_files
from db.inspections.inspections import commit_inspections
from db.session import engine_for, reading, transaction
from db.tables import Inspection
from tests.support.records import a_record

NOW = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
_C = table_of(Inspection).c
_FILES: tuple[File, ...] = ("image_uri", "image_sha256")


@pytest.mark.parametrize("file", _FILES)
def test_a_file_is_found_on_every_day(engine: Engine, file: File) -> None:
    midnights = [NOW - timedelta(days=days) for days in (0, 1, 30, 400)]
    instants = [at + slip for at in midnights for slip in (timedelta(microseconds=-1), timedelta())]
    records = [
        a_record(decided_at=at, **{file: f"{number % 3}"}) for number, at in enumerate(instants)
    ]
    commit_inspections(engine, records, UTC)
    assert found(engine, file, ["0", "2", "nothing"]) == {
        record.id for number, record in enumerate(records) if number % 3 != 1
    }
    assert found(engine, file, []) == set()


def test_no_inspections_have_no_days(engine: Engine) -> None:
    assert found(engine, "image_uri", ["a"]) == set()


def test_the_table_is_not_read_for_it(postgresql_url: str) -> None:
    postgresql = engine_for(postgresql_url)
    records = [a_record(image_uri=f"/{n}", part=None) for n in range(500)]
    commit_inspections(postgresql, records, UTC)
    with transaction(postgresql) as connection:
        connection.execute(text("ANALYZE inspections"))
        connection.execute(text("SET LOCAL enable_seqscan = off"))  # of 500 rows it is cheapest
        query = select(_C.id).where(of_files(connection, "image_uri", ["a", "b"]))
        compiled = query.compile(connection, compile_kwargs={"render_postcompile": True})
        plan = connection.exec_driver_sql(f"EXPLAIN {compiled}", compiled.params).scalars().all()
    assert any("ix_inspections_image_uri_by_day" in line for line in plan)
    assert any("Index Cond" in line and "hashtext" in line for line in plan)
    assert not any("Seq Scan" in line for line in plan)


def found(engine: Engine, file: File, values: list[str]) -> set[Any]:
    with reading(engine) as connection:
        query = select(_C.id).where(of_files(connection, file, values))
        return set(connection.execute(query).scalars())
