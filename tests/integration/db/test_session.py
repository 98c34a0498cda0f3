from __future__ import annotations

import os
import socket
import threading
import time
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, text
from sqlalchemy.exc import IntegrityError, StatementError

from db.base import table_of
from db.session import database_url, engine_for, reading, sessions, transaction
from db.tables import Camera, Line, ShiftRow
from linewatch.errors import ConfigurationError
from linewatch.settings import Settings

LINES = table_of(Line)


def add_line(connection: object, code: str) -> None:
    connection.execute(LINES.insert(), {"code": code, "name": code})  # type: ignore[attr-defined]


def codes(engine: Engine) -> list[str]:
    with reading(engine) as connection:
        return list(connection.execute(select(LINES.c.code).order_by(LINES.c.code)).scalars())


def test_a_transaction_is_kept_or_undone_as_a_whole(engine: Engine) -> None:
    with transaction(engine) as connection:
        add_line(connection, "kept")
    with pytest.raises(RuntimeError), transaction(engine) as connection:  # noqa: PT012
        add_line(connection, "undone")
        raise RuntimeError
    assert codes(engine) == ["kept"]


def test_instants_come_back_aware_and_in_utc(engine: Engine) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    at = datetime(2026, 3, 2, 12, 30, 0, 123456, tzinfo=india)
    with transaction(engine) as connection:
        add_line(connection, "L1")
        row = {"line": "L1", "code": "C1", "first_seen_at": at}
        connection.execute(table_of(Camera).insert(), row)
    with reading(engine) as connection:
        found = connection.execute(select(Camera.first_seen_at)).scalar_one()
    assert found == at
    assert found.utcoffset() == timedelta(0)


def test_a_naive_instant_is_refused(engine: Engine) -> None:
    row = {"line": "L1", "code": "C1", "first_seen_at": datetime(2026, 1, 1)}  # noqa: DTZ001
    with pytest.raises(StatementError, match="no time zone"), transaction(engine) as connection:
        connection.execute(table_of(Camera).insert(), row)


def test_constraints_hold(engine: Engine) -> None:
    orphan = {"line": "none", "code": "C1", "first_seen_at": datetime.now(UTC)}
    with pytest.raises(IntegrityError), transaction(engine) as connection:
        connection.execute(table_of(Camera).insert(), orphan)
    impossible = {"name": "late", "starts_hour": 25, "ends_hour": 6}
    with pytest.raises(IntegrityError), transaction(engine) as connection:
        connection.execute(table_of(ShiftRow).insert(), impossible)


def test_orm_sessions_use_the_settings_database(settings: Settings) -> None:
    with sessions()() as session, session.begin():
        session.add(Line(code="L1", name="one"))
    assert codes(engine_for(settings.sql_url)) == ["L1"]


def test_sqlite_writers_queue(sqlite_url: str) -> None:
    """A read, then a write, in each of two transactions at once: deferred ones would fail."""
    engine = engine_for(sqlite_url)
    errors: list[BaseException] = []

    def write(name: str) -> None:
        try:
            with transaction(engine) as connection:
                connection.execute(select(LINES.c.code)).all()
                time.sleep(0.2)
                add_line(connection, name)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=write, args=(f"L{n}",)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert codes(engine) == ["L0", "L1", "L2"]


def test_sqlite_readers_do_not_wait_for_a_writer(sqlite_url: str) -> None:
    engine = engine_for(sqlite_url)
    with transaction(engine) as connection:
        add_line(connection, "L1")
        began = time.monotonic()
        assert codes(engine) == []
        assert time.monotonic() - began < 10  # a reader that waited would do so for 30 s


def test_sqlite_is_set_up_to_outlive_a_power_cut(sqlite_url: str) -> None:
    with reading(engine_for(sqlite_url)) as connection:
        pragmas = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in pragmas]
    assert found == ["wal", 2, 1, 30_000]


def test_a_sqlite_folder_is_made(tmp_path: Path) -> None:
    with reading(engine_for(f"sqlite:///{tmp_path}/deep/down/x.db")) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_postgresql_sessions_speak_utc_and_compile_no_plans(postgresql_url: str) -> None:
    with reading(engine_for(postgresql_url)) as connection:
        assert connection.execute(text("SHOW TIME ZONE")).scalar() == "UTC"
        assert connection.execute(text("SHOW jit")).scalar() == "off"


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="Linux says what is set")
def test_a_postgresql_server_that_vanished_is_noticed_soon(postgresql_url: str) -> None:
    """Asked of the system: what was sent and not confirmed, and a connection that is silent."""
    with engine_for(postgresql_url).connect() as connection:
        number = connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
        with socket.socket(fileno=os.dup(number)) as way:
            option = partial(way.getsockopt, socket.IPPROTO_TCP)
            unconfirmed_s = option(socket.TCP_USER_TIMEOUT) / 1000
            tries_s = option(socket.TCP_KEEPINTVL) * option(socket.TCP_KEEPCNT)
            silent_s = option(socket.TCP_KEEPIDLE) + tries_s
            assert way.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
    assert max(unconfirmed_s, silent_s) <= 20


def test_a_forked_child_opens_its_own_connections(postgresql_url: str) -> None:
    engine = engine_for(postgresql_url)

    def backend() -> int:
        with reading(engine) as connection:
            return int(connection.execute(text("SELECT pg_backend_pid()")).scalar_one())

    parents = backend()
    child = os.fork()
    if child == 0:
        try:
            os._exit(0 if backend() != parents else 3)
        finally:
            os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert backend() == parents


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_bare_postgresql_url_means_psycopg(scheme: str) -> None:
    assert database_url(f"{scheme}://u@h/d").drivername == "postgresql+psycopg"


@pytest.mark.parametrize("url", ["nonsense", "mysql://u@h/d", "postgresql+psycopg2://u@h/d"])
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="LINEWATCH_DATABASE_URL"):
        engine_for(url)


@pytest.mark.product_limits
def test_a_session_that_freezes_in_a_transaction_is_ended(postgresql_url: str) -> None:
    """It holds row locks that every other worker waits for."""
    with reading(engine_for(postgresql_url)) as connection:
        limit = connection.exec_driver_sql("SHOW idle_in_transaction_session_timeout").scalar()
    assert limit == "5s"
