"""The one way to a connection: engines by URL, transactions, and what to say when there is none."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session, sessionmaker

from db.outage import denied, in_a_line, spoils_connection
from linewatch.errors import ConfigurationError, DatabaseError
from linewatch.private_files import make_folder
from linewatch.settings import get_settings
from linewatch.sqlite_wal import use_wal

_SQLITE_BUSY_TIMEOUT_S = 30
# A server that vanished (power, network) is noticed within 20 s, not in two hours.
_POSTGRESQL_OPTIONS: dict[str, Any] = {
    "application_name": "linewatch",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 2,
    "tcp_user_timeout": 20_000,  # milliseconds
    # After a failover the name may lead to the standby for a while, or for good in a list of hosts.
    "target_session_attrs": "read-write",
    # Whatever the role, the database or the environment says: names are in any script.
    "client_encoding": "utf8",
}
_FORM = (
    "write sqlite:///path or postgresql://user:password@host/name, and percent-encode what is "
    "special in user and password: @ is %40, / is %2F, : is %3A, # is %23, ? is %3F, % is %25"
)
# A worker that freezes inside a transaction would keep its row locks, and with them every other
# worker, for as long as it sleeps.
_IDLE_IN_TRANSACTION_MS = 5000
# Of a process to PostgreSQL. What comes on top of the kept ones is closed after use, which is slow.
KEPT_CONNECTIONS, MOST_CONNECTIONS = 10, 15
# To compile a plan takes longer than any query here, and is done where statistics are missing.
_NO_JIT = "SET jit = off"
_POOLED = "linewatch_pooled"  # in a connection's info
_WRITES = {"linewatch_writes": True}
_engines: list[Engine] = []


def database_url(text: str) -> URL:
    """Read a database URL; a bare `postgresql://` (or `postgres://`) means psycopg 3.

    Raises:
        ConfigurationError: it is no URL, or names a database other than SQLite and PostgreSQL.
    """
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):  # ValueError: a port; its words may hold the password
        raise ConfigurationError(f"LINEWATCH_DATABASE_URL is not a database URL; {_FORM}") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise ConfigurationError(
            f"LINEWATCH_DATABASE_URL: {url.drivername!r} is not supported; "
            "use sqlite:///path or postgresql://user@host/name"
        )
    if url.get_backend_name() == "postgresql" and "@" in f"{url.host}{url.port}{url.database}":
        raise ConfigurationError(f"LINEWATCH_DATABASE_URL cannot be taken apart; {_FORM}")
    if "password" in url.query:
        raise ConfigurationError(
            f"LINEWATCH_DATABASE_URL has the password after the ?, where errors would show it; "
            f"{_FORM}"
        )
    return url


def shown(url: str) -> str:
    """A database's URL as errors and logs show it: without password and options.

    Raises:
        ConfigurationError: see `database_url`.
    """
    return database_url(url).set(query={}).render_as_string(hide_password=True)


@lru_cache(maxsize=16)
def engine_for(url: str) -> Engine:
    """The process's engine for `url`; a SQLite file's folder is made if it is missing."""
    parsed = database_url(url)
    compact = partial(json.dumps, separators=(",", ":"))
    try:
        if parsed.get_backend_name() == "sqlite":
            if parsed.database and not parsed.database.startswith((":memory:", "file:")):
                _make_sqlite_file(Path(parsed.database))
            engine = create_engine(
                parsed, json_serializer=compact, connect_args={"timeout": _SQLITE_BUSY_TIMEOUT_S}
            )
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
        else:
            options = {k: v for k, v in _POSTGRESQL_OPTIONS.items() if k not in parsed.query}
            engine = create_engine(
                parsed,
                json_serializer=compact,
                connect_args=options,
                pool_pre_ping=True,
                pool_size=KEPT_CONNECTIONS,
                max_overflow=MOST_CONNECTIONS - KEPT_CONNECTIONS,
            )
            event.listen(engine, "connect", partial(_prepare_postgresql, url=parsed))
            event.listen(engine, "begin", _begin_pooled)
            event.listen(engine, "handle_error", _discard_spoilt)
    except (NoSuchModuleError, ModuleNotFoundError) as error:
        raise ConfigurationError(f"{error}; install linewatch[sql]") from None
    _engines.append(engine)
    return engine


def _make_sqlite_file(path: Path) -> None:
    """Make a missing file for its owner alone; SQLite gives its logs the same mode.

    A folder that is no place for a file is for SQLite to name.
    """
    with suppress(OSError):
        make_folder(path.parent)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


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
        if denied(error):
            raise DatabaseError(refusal(url, error)) from error
        reason = " ".join(str(error.orig).split())
        raise DatabaseError(
            f"database {shown(url)}: {reason}; is it running, and LINEWATCH_DATABASE_URL right?"
        ) from error


def refusal(url: str, error: BaseException) -> str:
    """What to tell somebody whose user lacks a right (see `db.outage.denied`)."""
    return (
        f"the database refuses this to its user {database_url(url).username}: {in_a_line(error)}; "
        "use the login of a role that may, see docs/security.md"
    )


def pooled(engine: Engine) -> bool:
    """Whether a connection pooler, such as PgBouncer, stands before the database."""
    with reading(engine) as connection:
        return bool(connection.info.get(_POOLED))


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


def _prepare_postgresql(connection: Any, record: Any, *, url: URL) -> None:
    """Set a session up, and find out whether it is ours alone.

    PgBouncer refuses most of what could be sent with the connection's start, so it is set after.
    """
    with connection.cursor() as cursor:
        backend = cursor.execute("SELECT pg_backend_pid()").fetchone()[0]
        # A pooler tells a number of its own where a server tells its process's. Behind one, a
        # session is also others': see `_begin_pooled`.
        pooled = backend != connection.info.backend_pid
        if not pooled:
            cursor.execute("SET TIME ZONE 'UTC'")
            # Whoever names options in the URL may have set the limit there.
            cursor.execute(_NO_JIT)
            if "idle_in_transaction_session_timeout" not in str(url.query.get("options", "")):
                cursor.execute(
                    f"SET idle_in_transaction_session_timeout = {_IDLE_IN_TRANSACTION_MS}"
                )
    connection.commit()
    record.info[_POOLED] = pooled
    prepare = get_settings().prepared_statements
    if prepare == "off" or (prepare == "auto" and pooled):
        connection.prepare_threshold = None


def _begin_pooled(connection: Connection) -> None:
    """What a session keeps is lost, or another's, where a pooler lends it for a transaction."""
    if not connection.info.get(_POOLED):
        return
    if connection.get_execution_options().get("isolation_level") == "AUTOCOMMIT":
        return
    connection.exec_driver_sql(
        "SELECT set_config('TimeZone', 'UTC', true), set_config('jit', 'off', true), "
        f"set_config('idle_in_transaction_session_timeout', '{_IDLE_IN_TRANSACTION_MS}', true)"
    )


def _discard_spoilt(context: ExceptionContext) -> None:
    """Throw a session away that will never write again, though its connection is open."""
    if spoils_connection(context.original_exception):
        context.is_disconnect = True
