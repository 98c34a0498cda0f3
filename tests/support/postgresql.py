"""A PostgreSQL for tests: the one named, the one that listens here, or one of our own."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from db import migrate
from db.schema import metadata
from linewatch.child_process import die_with_parent


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
    """Lends databases to tests: copies of one that was migrated, each emptied and lent again."""

    def __init__(self, maintenance_url: str) -> None:
        self.url = maintenance_url
        self._spare: list[str] = []
        self._migrated = ""
        self._shape: object = None

    def lend(self) -> str:
        """The URL of a migrated database without a row."""
        if self._spare:
            return self._spare.pop()
        if not self._migrated:
            self._migrated = self._migrate()
        return self.create(template=self._migrated)

    def give_back(self, url: str) -> None:
        """Empty it for the next test, or drop it if the test changed its schema."""
        with _connect(url) as connection:
            connection.execute(_END_OTHERS)
            intact = _shape(connection) == self._shape
            if intact:
                connection.execute(_emptied())
        if intact:
            self._spare.append(url)
        else:
            self.drop(url)

    def close(self) -> None:
        """Drop what is left."""
        for url in (*self._spare, self._migrated):
            if url:
                self.drop(url)
        self._spare, self._migrated = [], ""

    def create(self, encoding: str = "UTF8", *, template: str = "") -> str:
        """The URL of a new database: with nothing in it, or a copy of the one at `template`."""
        name = f"linewatch_test_{os.getpid()}_{secrets.token_hex(4)}"
        statement = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
        if template:
            statement += sql.SQL(" TEMPLATE {}").format(sql.Identifier(_name(template)))
        elif encoding != "UTF8":
            statement += sql.SQL(" ENCODING {} LOCALE 'C' TEMPLATE template0").format(encoding)
        self._execute(statement)
        return make_url(self.url).set(database=name).render_as_string(hide_password=False)

    def drop(self, url: str) -> None:
        """Drop it, whoever is connected."""
        name = sql.Identifier(_name(url))
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def _migrate(self) -> str:
        url = self.create()
        migrate.upgrade(url)
        with _connect(url) as connection:
            self._shape = _shape(connection)
            connection.execute(_END_OTHERS)  # nothing that is in use can be copied
        return url

    def _execute(self, statement: sql.Composed) -> None:
        with _connect(self.url) as connection:
            connection.autocommit = True
            connection.execute(statement)


_END_OTHERS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_RESTART_SEQUENCES = """
    PERFORM setval(oid::regclass, 1, false) FROM pg_class
    WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
"""


@lru_cache(maxsize=1)
def _emptied() -> sql.Composed:
    """All tables in one go: some sixty statements would be as many ways there and back."""
    tables = (sql.Identifier(table.name) for table in reversed(metadata.sorted_tables))
    deleted = sql.SQL(" ").join(sql.SQL("DELETE FROM {};").format(table) for table in tables)
    return sql.SQL("DO $$ BEGIN {} {} END $$").format(deleted, sql.SQL(_RESTART_SEQUENCES))


def _name(url: str) -> str:
    return make_url(url).database or ""


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
def _private(_folder: Path) -> Iterator[str]:
    with PostgreSQLServer() as own:
        yield own.url


class PostgreSQLServer:
    """A server of our own on a free port, which may be stopped and started again.

    Root may not run one, so root runs it as somebody else, in a folder that is theirs.

    Raises:
        NoPostgreSQLError: its programs are missing; says which.
    """

    def __init__(self) -> None:
        self._programs = {name: _program(name) for name in ("initdb", "postgres")}
        self._process: subprocess.Popen[bytes] | None = None
        self._as = {"user": _other_user()} if os.geteuid() == 0 else {}
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]

    @property
    def url(self) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def __enter__(self) -> PostgreSQLServer:
        self._folder = Path(tempfile.mkdtemp(prefix="linewatch-postgresql-"))
        if self._as:
            shutil.chown(self._folder, **self._as)
        command = [self._programs["initdb"], "-D", self._folder / "data", "-U", "postgres"]
        subprocess.run(
            [*command, "-A", "trust"],
            check=True,
            stdout=subprocess.DEVNULL,
            timeout=120,
            cwd=self._folder,
            **self._as,
        )
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    def start(self) -> None:
        """Start it, and wait until it lets us in."""
        where = ["-D", self._folder / "data", "-p", str(self.port), "-h", "127.0.0.1", "-k", ""]
        where += ["-c", "fsync=off"]  # only a crash of the whole machine would lose something
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs["postgres"], *where],
                stderr=log,
                cwd=self._folder,
                preexec_fn=die_with_parent,
                **self._as,
            )
        deadline = time.monotonic() + 60
        while True:
            try:
                _connect(self.url).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, (self._folder / "log").read_text()[-2000:]
                assert time.monotonic() < deadline, "PostgreSQL let nobody in within 60 s"
                time.sleep(0.05)
            else:
                return

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: sessions are ended properly; SIGQUIT: at once, as in a crash."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=60)
            self._process = None


def _other_user() -> str:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_name
    raise NoPostgreSQLError("no PostgreSQL at 127.0.0.1:5432, and root may not start one")


def _program(name: str) -> str:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    found = shutil.which(name) or next(map(str, versions), None)
    if found is None:
        raise NoPostgreSQLError(f"no PostgreSQL at 127.0.0.1:5432 and no {name} to start one")
    return found
