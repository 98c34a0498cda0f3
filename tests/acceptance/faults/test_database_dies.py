"""The database stopped, locked and in deadlock while pictures stream in."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import make_url

from db import session
from tests.acceptance.conftest import plant_settings
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.proxy import Proxy
from tests.acceptance.faults.results import noted
from tests.acceptance.faults.sqlite_lock import locked
from tests.acceptance.faults.stream import Stream, settled
from tests.acceptance.faults.trained import Champion, trained_plant
from tests.acceptance.live import Live
from tests.support.pgbouncer import pgbouncer
from tests.support.postgresql import NoPostgreSQLError, PostgreSQLServer

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture
def cable(postgresql_url: str) -> Iterator[Proxy]:
    """The way to the database, which can be cut."""
    url = make_url(postgresql_url)
    with Proxy(url.host or "127.0.0.1", url.port or 5432) as proxy:
        yield proxy


@pytest.fixture
def far_plant(
    postgresql_url: str,
    cable: Proxy,
    redis_url: str,
    weights_dir: Path,
    tmp_path: Path,
    champion: Champion,
) -> Iterator[Live]:
    """A system whose database is at the far end of the cable."""
    through = make_url(postgresql_url).set(host="127.0.0.1", port=cable.port)
    url = through.render_as_string(hide_password=False)
    yield from trained_plant(plant_settings(tmp_path, url, redis_url, weights_dir), champion)


def test_postgresql_goes_away(far_plant: Live, cable: Proxy) -> None:
    """Cut off from the database, a worker holds what it has, and goes on when it is back."""
    plant = far_plant
    outages, length_s = times(short=1, long=5), times(short=2, long=20)
    slowest_s = 0.0
    plant.worker()
    with Stream(plant, rate=40) as stream:
        plant.until(lambda: bool(plant.receipts), 30, "a first receipt")
        for _ in range(outages):
            cable.cut()
            time.sleep(length_s)
            seen = len(plant.receipts)
            cable.mend()
            began = time.monotonic()
            plant.until(lambda s=seen: len(plant.receipts) > s, 60, "a receipt")
            slowest_s = max(slowest_s, time.monotonic() - began)
            time.sleep(1)
        recovery = replace(stream.settle(timeout_s=600), recover_s=slowest_s)
    plant.group.check()  # it held; it did not die
    found = check(plant, stream.accepted)
    noted(plant, f"PostgreSQL cut off for {length_s} s", outages, found, recovery)


@pytest.fixture
def own_postgresql() -> Iterator[PostgreSQLServer]:
    """A server that the test may stop."""
    try:
        with PostgreSQLServer() as server:
            yield server
    except NoPostgreSQLError as error:
        pytest.skip(str(error))


@pytest.mark.slow
def test_postgresql_is_stopped(
    own_postgresql: PostgreSQLServer,
    redis_url: str,
    weights_dir: Path,
    tmp_path: Path,
    champion: Champion,
) -> None:
    """Stopped properly and as in a crash, by turns; the worker also asks it while it starts."""
    stops, length_s = 10, 60
    slowest_s = 0.0
    settings = plant_settings(tmp_path, own_postgresql.url, redis_url, weights_dir)
    for plant in trained_plant(settings, champion):
        plant.worker()
        with Stream(plant, rate=20) as stream:
            plant.until(lambda p=plant: bool(p.receipts), 60, "a first receipt")
            for number in range(stops):
                own_postgresql.stop(signal.SIGQUIT if number % 2 else signal.SIGINT)
                time.sleep(length_s)
                seen, began = len(plant.receipts), time.monotonic()
                own_postgresql.start()
                plant.until(lambda s=seen, p=plant: len(p.receipts) > s, 120, "a receipt")
                slowest_s = max(slowest_s, time.monotonic() - began)
                time.sleep(1)
            recovery = replace(stream.settle(timeout_s=900), recover_s=slowest_s)
        plant.group.check()  # it held; it did not die
        found = check(plant, stream.accepted)
        noted(plant, f"PostgreSQL stopped for {length_s} s", stops, found, recovery)
        session.dispose()  # before the server goes


def test_sqlite_is_locked_by_another_process(plant: Live) -> None:
    if plant.engine.dialect.name != "sqlite":
        pytest.skip("SQLite's own")
    rounds = times(short=1, long=5)
    slowest_s = 0.0
    plant.worker()
    with Stream(plant, rate=40) as stream:
        for _ in range(rounds):
            time.sleep(1)
            with locked(plant.engine.url.database or ""):
                time.sleep(times(short=2, long=40))  # 40 s is longer than the busy timeout
                seen = len(plant.receipts)
            began = time.monotonic()
            plant.until(lambda s=seen: len(plant.receipts) > s, 60, "a receipt")
            slowest_s = max(slowest_s, time.monotonic() - began)
        recovery = replace(stream.settle(timeout_s=180), recover_s=slowest_s)
    plant.group.check()
    found = check(plant, stream.accepted)
    noted(plant, "SQLite locked by another process", rounds, found, recovery)


@pytest.mark.slow
def test_sessions_are_terminated(postgresql_plant: Live) -> None:
    """An administrator ends the workers' sessions, as an upgrade or a failover does."""
    plant, rounds = postgresql_plant, 20
    plant.worker()
    with Stream(plant, rate=80) as stream:
        plant.until(lambda: bool(plant.receipts), 30, "a first receipt")
        for _ in range(rounds):
            time.sleep(0.5)
            with _administrator(plant) as connection:
                connection.execute(_TERMINATE_WORKERS)
        recovery = stream.settle(timeout_s=120)
    plant.group.check()
    found = check(plant, stream.accepted)
    noted(plant, "PostgreSQL sessions terminated", rounds, found, recovery)


def test_a_failover_leaves_sessions_read_only(postgresql_plant: Live) -> None:
    """For a while the name leads to a standby; the sessions made then stay open after it."""
    plant, length_s = postgresql_plant, times(short=2, long=15)
    name = plant.engine.url.database
    plant.worker()
    with Stream(plant, rate=40) as stream, _administrator(plant) as connection:
        plant.until(lambda: bool(plant.receipts), 30, "a first receipt")
        _execute(connection, f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
        connection.execute(_TERMINATE_WORKERS)
        log = plant.settings.data_dir / "logs" / "w.log"
        plant.until(lambda: "database away" in log.read_text(), 30, "worker that holds")
        time.sleep(length_s)
        seen, began = len(plant.receipts), time.monotonic()
        _execute(connection, f'ALTER DATABASE "{name}" RESET default_transaction_read_only')
        plant.until(lambda: len(plant.receipts) > seen, 30, "a receipt")
        recover_s = time.monotonic() - began
        recovery = replace(stream.settle(timeout_s=120), recover_s=recover_s)
    assert log.read_text().count("database away") == 1, "said once, not with each try"
    assert "Traceback" not in log.read_text()
    plant.group.check()
    found = check(plant, stream.accepted)
    noted(plant, f"PostgreSQL read-only for {length_s} s", 1, found, recovery)


@pytest.mark.usefixtures("_environment")
def test_a_pooler_lends_sessions_for_a_transaction(
    postgresql_url: str, redis_url: str, weights_dir: Path, tmp_path: Path, champion: Champion
) -> None:
    """PgBouncer between a worker and the database."""
    with pgbouncer(postgresql_url) as url:
        settings = plant_settings(tmp_path, url, redis_url, weights_dir)
        for plant in trained_plant(settings, champion):
            plant.worker()
            enough = times(short=100, long=200)
            with Stream(plant, rate=times(short=40, long=80)) as stream:
                plant.until(lambda p=plant, n=enough: len(p.receipts) > n, 60, f"{enough} receipts")
                stream.settle(timeout_s=60)
            plant.group.check()
            noted(plant, "PgBouncer, transaction pooling", 1, check(plant, stream.accepted))
            log = (plant.settings.data_dir / "logs" / "w.log").read_text()
            assert "database away" not in log
            assert "prepared statement" not in log
        session.dispose()


def test_deadlocks_are_survived(postgresql_plant: Live) -> None:
    """Another session takes the roll-up's rows in the other order, so that one of them must end."""
    plant, rounds = postgresql_plant, times(short=2, long=20)
    deadlocks = 0
    plant.worker()
    with (
        Stream(plant, rate=times(short=20, long=40), line="line-1") as first,
        Stream(plant, rate=times(short=20, long=40), line="line-2") as second,
    ):
        plant.until(lambda: _lines(plant) == 2, 60, "a row of each line")
        for _ in range(rounds):
            deadlocks += _provoke_deadlock(plant)
        recovery = settled([first, second], timeout_s=120)
    plant.group.check()
    found = check(plant, first.accepted + second.accepted)
    assert deadlocks > 0
    noted(plant, "PostgreSQL deadlock", deadlocks, found, recovery)


@pytest.fixture
def postgresql_plant(
    postgresql_url: str,
    redis_url: str,
    weights_dir: Path,
    tmp_path: Path,
    champion: Champion,
) -> Iterator[Live]:
    """A system on PostgreSQL."""
    settings = plant_settings(tmp_path, postgresql_url, redis_url, weights_dir)
    yield from trained_plant(settings, champion)


_TERMINATE_WORKERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND application_name = 'linewatch'
"""


@contextmanager
def _administrator(plant: Live) -> Iterator[psycopg.Connection]:
    url = plant.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(url, autocommit=True, application_name="administrator") as connection:
        yield connection


def _execute(connection: psycopg.Connection, statement: str) -> None:
    connection.execute(statement.encode())


def _lines(plant: Live) -> int:
    with _administrator(plant) as connection:
        row = connection.execute("SELECT count(DISTINCT line) FROM inspection_hourly").fetchone()
    return int(row[0]) if row else 0


def _provoke_deadlock(plant: Live) -> int:
    """Lock line-2's counts, wait until a worker waits for them holding line-1's, want those."""
    with _administrator(plant) as connection:
        connection.execute("SET deadlock_timeout = '10s'")  # so that the worker is the victim
        connection.execute("BEGIN")
        connection.execute("SELECT 1 FROM inspection_hourly WHERE line = 'line-2' FOR UPDATE")
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
            "AND datname = current_database() AND application_name = 'linewatch'"
        )
        deadline = time.monotonic() + 10
        while not connection.execute(waiting).fetchone()[0]:  # type: ignore[index]
            if time.monotonic() > deadline:
                connection.execute("ROLLBACK")
                return 0
            time.sleep(0.02)
        try:
            connection.execute("SELECT 1 FROM inspection_hourly WHERE line = 'line-1' FOR UPDATE")
        except psycopg.errors.DeadlockDetected:
            connection.execute("ROLLBACK")
            return 1
        connection.execute("COMMIT")
        return 1
