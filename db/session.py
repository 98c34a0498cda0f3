"""The one way to a connection: engines by URL, transactions, and what to say when there is none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session, sessionmaker

from linewatch.errors import ConfigurationError, DatabaseError
from linewatch.settings import get_settings
from linewatch.sqlite_wal import use_wal

_SQLITE_BUSY_TIMEOUT_S = 30
# A server that vanished (power, network) is noticed in about half a minute, not in two hours.
_POSTGRESQL_OPTIONS: dict[str, Any] = {
    "application_name": "linewatch",
    "connect_timeout": 10,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,  # milliseconds
    # A worker that freezes inside a transaction would keep its row locks, and with them every
    # other worker, for as long as it sleeps.
    "options": "-c idle_in_transaction_session_timeout=5000",  # milliseconds
}
_WRITES = {"linewatch_writes": True}
_engines: list[Engine] = []


def database_url(text: str) -> URL:
    """Read a database URL; a bare `postgresql://` (or `postgres://`) means psycopg 3.

    Raises:
        ConfigurationError: it is no URL, or names a database other than SQLite and PostgreSQL.
    """
    try:
        url = make_url(text)
    except ArgumentError:
        raise ConfigurationError("LINEWATCH_DATABASE_URL is not a database URL") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise ConfigurationError(
            f"LINEWATCH_DATABASE_URL: {url.drivername!r} is not supported; "
            "use sqlite:///path or postgresql://user@host/name"
        )
    return url


@lru_cache(maxsize=16)
def engine_for(url: str) -> Engine:
    """The process's engine for `url`; a SQLite file's folder is made if it is missing."""
    parsed = database_url(url)
    compact = partial(json.dumps, separators=(",", ":"))
    try:
        if parsed.get_backend_name() == "sqlite":
            if parsed.database and parsed.database != ":memory:":
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            engine = create_engine(
                parsed, json_serializer=compact, connect_args={"timeout": _SQLITE_BUSY_TIMEOUT_S}
            )
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            options = {k: v for k, v in _POSTGRESQL_OPTIONS.items() if k not in parsed.query}
            engine = create_engine(
                parsed, json_serializer=compact, connect_args=options, pool_pre_ping=True
            )
            event.listen(engine, "connect", _prepare_postgresql)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(f"{error}; install linewatch[sql]") from None
    _engines.append(engine)
    return engine


def default_engine() -> Engine:
    """The engine of the database that the settings name."""
    return engine_for(get_settings().sql_url)


def sessions() -> sessionmaker[Session]:
    """ORM sessions on the settings' database. Each is a write transaction, so keep it short."""
    return sessionmaker(default_engine().execution_options(**_WRITES), expire_on_commit=False)


@contextmanager
def transaction(engine: Engine | None = None) -> Iterator[Connection]:
    """A write transaction: committed at the end, rolled back on an exception.

    On SQLite it takes the write lock at once, so that two writers queue (for up to 30 s) and
    neither meets SQLITE_BUSY half way, which no waiting cures.
    """
    with (engine or default_engine()).connect() as connection:
        connection = connection.execution_options(**_WRITES)
        with connection.begin():
            yield connection


@contextmanager
def reading(engine: Engine | None = None) -> Iterator[Connection]:
    """A connection that only reads; it never waits for SQLite's writers."""
    with (engine or default_engine()).connect() as connection:
        yield connection


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn the driver's errors into one sentence that names the database.

    Raises:
        DatabaseError: the database did not answer, or refused.
    """
    try:
        yield
    except DBAPIError as error:
        reason = " ".join(str(error.orig).split())
        place = database_url(url).render_as_string(hide_password=True)
        raise DatabaseError(
            f"database {place}: {reason}; is it running, and LINEWATCH_DATABASE_URL right?"
        ) from error


def dispose() -> None:
    """Close every engine's connections; the next use of a URL opens a new engine."""
    while _engines:
        _engines.pop().dispose()
    engine_for.cache_clear()


def _forget_in_child() -> None:
    for engine in _engines:  # the sockets are the parent's: leave them open, use new ones
        engine.dispose(close=False)


os.register_at_fork(after_in_child=_forget_in_child)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where SQLAlchemy says, see below
    use_wal(connection, _SQLITE_BUSY_TIMEOUT_S)
    cursor = connection.cursor()
    # FULL, not WAL's usual NORMAL: a receipt makes a camera forget its picture, so a commit must
    # outlive a power cut. It is one fsync a micro-batch.
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("linewatch_writes")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _prepare_postgresql(connection: Any, _record: object) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET TIME ZONE 'UTC'")
    connection.commit()
