"""Copies of a whole database: what one must hold, and how it is read without being changed."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from alembic.migration import MigrationContext
from sqlalchemy import (
    Connection,
    Engine,
    NullPool,
    column,
    create_engine,
    func,
    inspect,
    select,
    table,
    text,
)

from db.audit import GENESIS
from db.session import database_url, engine_for, pooled, shown
from linewatch.errors import DatabaseError

_NOT_EVERYBODYS = text(
    "DO $$ DECLARE one regprocedure; BEGIN"
    " FOR one IN SELECT oid FROM pg_proc"
    r" WHERE pronamespace = current_schema()::regnamespace AND proname LIKE 'linewatch\_%'"
    " LOOP EXECUTE 'REVOKE ALL ON FUNCTION ' || one || ' FROM PUBLIC'; END LOOP; END $$"
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What is in a database at one moment: its schema, each table's rows, the audit chain's head.

    Of any version's schema, so no table's columns are taken for granted but those of the first.
    """

    revision: str
    rows: dict[str, int]
    audit_head: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One state of a PostgreSQL database, which other sessions can read by the snapshot's name.

    `options` are libpq's, of the server that has the snapshot; the password is apart from them.
    """

    name: str
    contents: Contents
    server: int
    options: dict[str, str]
    password: str


def contents(connection: Connection) -> Contents:
    """What is in a database, counted within the connection's transaction.

    Raises:
        DatabaseError: it has no tables of Linewatch.
    """
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        place = shown(connection.engine.url.render_as_string(hide_password=False))
        raise DatabaseError(f"database {place} has no Linewatch tables: there is nothing to copy")
    rows = {}
    for name in tables(connection):
        count = select(func.count()).select_from(table(name))
        rows[name] = int(connection.execute(count).scalar_one())
    log = table("audit_log", column("id"), column("hash"))
    head = connection.scalar(select(log.c.hash).order_by(log.c.id.desc()).limit(1))
    return Contents(revision, rows, head or GENESIS)


def recorded_models(connection: Connection) -> dict[tuple[str, str], str]:
    """Each model version that the database names: product and version to its manifest's SHA-256."""
    names = ("product", "version", "manifest_sha256")
    query = select(*table("model_versions", *map(column, names)).c)
    return {(row[0], row[1]): row[2] for row in connection.execute(query)}


@contextmanager
def snapshot(engine: Engine) -> Iterator[Snapshot]:
    """Hold one state of a PostgreSQL database, for as long as the context lasts.

    Raises:
        DatabaseError: a pooler stands before it, or there is nothing to copy.
    """
    if pooled(engine):
        raise DatabaseError(
            "a pooler (such as PgBouncer) stands before the database: name the server itself in "
            "LINEWATCH_DATABASE_URL for this command, since a copy needs a session of its own"
        )
    with engine.connect() as connection:
        connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            # While the copy is written, this session is idle.
            connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            name = str(connection.scalar(text("SELECT pg_export_snapshot()")))
            options, password = libpq_options(connection)
            server = server_version(connection)
            yield Snapshot(name, contents(connection), server, options, password)


def libpq_options(connection: Connection) -> tuple[dict[str, str], str]:
    """How this connection was made, in libpq's words, and with which password.

    Of several hosts it names the one that this connection has reached.
    """
    info: Any = connection.connection.driver_connection.info  # type: ignore[union-attr]
    options = dict(info.get_parameters())
    reached = {"host": info.host, "hostaddr": info.hostaddr, "port": str(info.port)}
    options |= {name: value for name, value in reached.items() if name in options and value}
    return options, str(info.password)


def server_version(connection: Connection) -> int:
    """PostgreSQL's major version."""
    return int(connection.scalar(text("SHOW server_version_num"))) // 10_000


def opened(path: Path) -> Engine:
    """An engine on a copy of a SQLite file that changes nothing, on a read-only disk too."""
    uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
    return create_engine(
        "sqlite://", creator=partial(sqlite3.connect, uri, uri=True), poolclass=NullPool
    )


def damage(connection: Connection) -> str | None:
    """What SQLite finds wrong with a file's structure; None: nothing, or no SQLite."""
    if connection.dialect.name != "sqlite":
        return None
    found = str(connection.scalar(text("PRAGMA quick_check(1)")))
    return None if found == "ok" else " ".join(found.split())[:200]


def tables(connection: Connection) -> list[str]:
    """The tables that a database has already."""
    return sorted(inspect(connection).get_table_names())


@contextmanager
def scratch_database(url: str) -> Iterator[str]:
    """The URL of a new, empty database on the same PostgreSQL server, dropped at the end.

    Raises:
        sqlalchemy.exc.DBAPIError: this user may not make one.
    """
    name = f"linewatch_check_{secrets.token_hex(6)}"
    engine = engine_for(url)
    options = {"isolation_level": "AUTOCOMMIT"}
    with engine.connect().execution_options(**options) as connection:
        connection.execute(text(f"CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0"))
    scratch = database_url(url).set(database=name).render_as_string(hide_password=False)
    try:
        yield scratch
    finally:
        engine_for(scratch).dispose()
        with engine.connect().execution_options(**options) as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


def settle(connection: Connection) -> None:
    """What an archive does not bring back to PostgreSQL: closed functions, and statistics.

    A function is everybody's until somebody says otherwise, and ours act with their owner's rights.
    """
    connection.execute(_NOT_EVERYBODYS)
    connection.execute(text("ANALYZE"))
