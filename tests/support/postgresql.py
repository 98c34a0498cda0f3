"""A PostgreSQL for tests: the one named, the one that listens here, or one of our own."""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from db import migrate
from db.schema import metadata


class NoPostgreSQLError(Exception):
    """Why there is none."""


@contextmanager
def server(folder: Path) -> Iterator[str]:
    """The URL of a server's maintenance database.

    Raises:
        NoPostgreSQLError: none can be had; says why.
    """
    named = os.environ.get("LINEWATCH_TEST_DATABASE_URL")
    if named:
        _connect(named).close()  # a server that was named and is away is an error, not a skip
        yield named
        return
    local = "postgresql://postgres@127.0.0.1:5432/postgres"
    try:
        _connect(local).close()
    except psycopg.OperationalError:
        with _private(folder) as url:
            yield url
    else:
        yield local


class Databases:
    """Lends databases to tests. One is emptied and lent again: making one takes about a second."""

    def __init__(self, maintenance_url: str) -> None:
        self._url = maintenance_url
        self._spare: list[str] = []
        self._shape: object = None

    def lend(self) -> str:
        """The URL of a migrated database without a row."""
        if self._spare:
            return self._spare.pop()
        url = self.create()
        migrate.upgrade(url)
        with _connect(url) as connection:
            self._shape = _shape(connection)
        return url

    def give_back(self, url: str) -> None:
        """Empty it for the next test, or drop it if the test changed its schema."""
        with _connect(url) as connection:
            connection.execute(_END_OTHERS)
            intact = _shape(connection) == self._shape
            if intact:
                for table in reversed(metadata.sorted_tables):
                    connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
                connection.execute(_RESTART_SEQUENCES)
        if intact:
            self._spare.append(url)
        else:
            self.drop(url)

    def close(self) -> None:
        """Drop what is left."""
        while self._spare:
            self.drop(self._spare.pop())

    def create(self) -> str:
        """The URL of a new database with nothing in it."""
        name = f"linewatch_test_{os.getpid()}_{secrets.token_hex(4)}"
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return make_url(self._url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop it, whoever is connected."""
        name = sql.Identifier(make_url(url).database or "")
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def _execute(self, statement: sql.Composed) -> None:
        with _connect(self._url) as connection:
            connection.autocommit = True
            connection.execute(statement)


_END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_RESTART_SEQUENCES = """
    SELECT setval(oid::regclass, 1, false) FROM pg_class
    WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
"""


def _shape(connection: psycopg.Connection) -> object:
    """What tells a changed schema from an untouched one."""
    columns = """
        SELECT relname, relkind, attname, atttypid, attnotnull
        FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid
        WHERE relnamespace = 'public'::regnamespace AND attnum > 0 AND NOT attisdropped
        ORDER BY relname, attnum
    """
    constraints = "SELECT conname FROM pg_constraint ORDER BY conname"
    found = [connection.execute(query).fetchall() for query in (columns, constraints)]
    table = connection.execute("SELECT to_regclass('alembic_version')").fetchone()
    if table != (None,):
        found.append(connection.execute("SELECT version_num FROM alembic_version").fetchall())
    return found


def _connect(url: str) -> psycopg.Connection:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain, connect_timeout=3)


@contextmanager
def _private(folder: Path) -> Iterator[str]:
    if os.geteuid() == 0:
        raise NoPostgreSQLError("no PostgreSQL at 127.0.0.1:5432, and root may not start one")
    data = folder / "data"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    run = {"check": True, "stdout": subprocess.DEVNULL, "timeout": 60}
    control = _program("pg_ctl")
    subprocess.run([_program("initdb"), "-D", data, "-U", "postgres", "-A", "trust"], **run)
    options = f"-p {port} -h 127.0.0.1 -k ''"
    subprocess.run([control, "-D", data, "-w", "-l", folder / "log", "-o", options, "start"], **run)
    try:
        yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
    finally:
        subprocess.run([control, "-D", data, "-m", "immediate", "stop"], **run)


def _program(name: str) -> str:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or next(map(str, versions), None)
    if found is None:
        raise NoPostgreSQLError(f"no PostgreSQL at 127.0.0.1:5432 and no {name} to start one")
    return found
