"""Behind a real PgBouncer that lends a session for a transaction only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC
from uuid import uuid4

import pytest
from sqlalchemy import text

from db import audit, migrate
from db.inspections.inspections import commit_inspections, outcomes
from db.session import dispose, engine_for, pooled, reading, transaction
from linewatch.doctor.diagnosis import examine
from linewatch.doctor.findings import State
from linewatch.settings import Settings
from tests.support.pgbouncer import pgbouncer
from tests.support.records import a_record


@pytest.fixture
def through_pgbouncer(postgresql_url: str) -> Iterator[str]:
    """The URL of a migrated database through PgBouncer."""
    with pgbouncer(postgresql_url) as url:
        yield url
        dispose()


@pytest.mark.product_limits
def test_sessions_that_change_between_transactions(
    through_pgbouncer: str, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(database_url=through_pgbouncer)
    assert migrate.check(through_pgbouncer) is None
    engine = engine_for(through_pgbouncer)
    assert pooled(engine)
    first, second = engine.connect(), engine.connect()
    for number in range(12):  # psycopg prepares what it was given five times
        for connection in (first, second):
            with connection.begin():
                assert connection.execute(text("SELECT :n"), {"n": number}).scalar() == number
                shown = [
                    connection.execute(text(f"SHOW {name}")).scalar()
                    for name in ("timezone", "idle_in_transaction_session_timeout")
                ]
                assert shown == ["UTC", "5s"]
    first.close()
    second.close()
    ids = set()
    for number in range(12):
        record = a_record(id=uuid4(), part=f"P-{number}")
        ids |= commit_inspections(engine, [record], UTC)
        with transaction(engine) as connection:
            audit.append(connection, "ann", "test", "x", {})
    assert set(outcomes(engine, list(ids))) == ids
    assert len(ids) == 12
    finding = next(f for f in examine(settings) if f.check == "database")
    assert finding.state is State.OK
    assert "a pooler such as PgBouncer" in finding.detail


def test_a_setting_prepares_all_the_same_and_doctor_warns(
    through_pgbouncer: str, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(database_url=through_pgbouncer, prepared_statements="on")
    finding = next(f for f in examine(settings) if f.check == "database")
    assert finding.state is State.WARN
    assert "LINEWATCH_PREPARED_STATEMENTS=auto" in finding.detail


@pytest.mark.parametrize(("setting", "prepares"), [("auto", True), ("on", True), ("off", False)])
def test_without_a_pooler_statements_are_prepared(
    postgresql_url: str, make_settings: Callable[..., Settings], setting: str, prepares: bool
) -> None:
    make_settings(prepared_statements=setting)
    engine = engine_for(postgresql_url)
    assert not pooled(engine)
    with reading(engine) as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        assert (driver.prepare_threshold is not None) is prepares
