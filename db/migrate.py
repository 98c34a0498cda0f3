"""Migrations without an `alembic.ini`: the schema's version, and the way to another one."""

from __future__ import annotations

from contextlib import redirect_stdout
from importlib.resources import files
from io import StringIO

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text

from db.locks import lock_schema
from db.session import engine_for, explained, reading, shown, transaction
from linewatch.errors import DatabaseError

OLDEST_POSTGRESQL = 14  # the first with date_bin and functions in the SQL standard's form
_PATIENCE = "SET LOCAL lock_timeout = '15s'"  # others queue behind a migration that waits
# On a busy machine a step's Python may pause for longer than is a sign of a frozen worker.
_PAUSES = "SET LOCAL idle_in_transaction_session_timeout = '10min'"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema to `revision`: all of it in one transaction, or none.

    Two that start at once are harmless: the second waits, then finds nothing to do.

    Raises:
        DatabaseError: the database did not answer, refused, is too old, or has another encoding
            than UTF-8.
    """
    with explained(url), transaction(engine_for(url)) as connection:
        _refuse_server(connection, url)
        _begin(connection)
        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to `revision`; 'base' drops everything, data included.

    Raises:
        DatabaseError: see `upgrade`.
    """
    with explained(url), transaction(engine_for(url)) as connection:
        _begin(connection)
        command.downgrade(_config(connection), revision)


def current(url: str) -> str | None:
    """The schema's revision, or None where there is none.

    Raises:
        DatabaseError: see `upgrade`.
    """
    with explained(url), reading(engine_for(url)) as connection:
        _refuse_server(connection, url)
        return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The revision that this version of Linewatch needs."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


def check(url: str) -> str | None:
    """What is wrong with the schema, in a sentence that says what to do; None if nothing is.

    Raises:
        DatabaseError: see `upgrade`.
    """
    have, need = current(url), newest()
    if have == need:
        return None
    place = shown(url)
    if have is None:
        return f"database {place} has no Linewatch tables yet; run `linewatch db upgrade`"
    if not knows(have):
        return (
            f"database {place} is at revision {have}, which this version of Linewatch does not "
            "know; install the version that wrote it, or a newer one"
        )
    return (
        f"database {place} is at revision {have} and needs {need}; run `linewatch db upgrade`, "
        "best after `linewatch backup FOLDER`"
    )


def knows(revision: str) -> bool:
    """Whether a schema's revision is this version's, or one before it."""
    return revision in {script.revision for script in _scripts().walk_revisions()}


def require(url: str) -> None:
    """Refuse to go on with a schema that is not this version's.

    Raises:
        DatabaseError: what `check` says, or the database did not answer.
    """
    problem = check(url)
    if problem is not None:
        raise DatabaseError(problem)


def write_revision(url: str, message: str) -> None:
    """For developers: write the migration from the schema at `url` to the models'."""
    number = f"{int(newest()) + 1:04}"
    with transaction(engine_for(url)) as connection, redirect_stdout(StringIO()):
        command.revision(_config(connection), message, autogenerate=True, rev_id=number)


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    folder = str(files("migrations")).replace("%", "%%")
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _refuse_server(connection: Connection, url: str) -> None:
    if connection.dialect.name == "postgresql":
        _refuse_version(connection, url)
        _refuse_encoding(connection, url)


def _refuse_version(connection: Connection, url: str) -> None:
    """The functions are written in SQL's own syntax, which older servers do not know."""
    version = connection.dialect.server_version_info or (OLDEST_POSTGRESQL,)
    if int(version[0]) < OLDEST_POSTGRESQL:
        raise DatabaseError(
            f"database {shown(url)} is PostgreSQL {'.'.join(map(str, version))}; Linewatch needs "
            f"{OLDEST_POSTGRESQL} or newer: upgrade the server first"
        )


def _refuse_encoding(connection: Connection, url: str) -> None:
    """UTF-8 alone holds names of parts and files in any script."""
    found = connection.execute(text("SHOW server_encoding")).scalar_one()
    if found != "UTF8":
        raise DatabaseError(
            f"database {shown(url)} has the encoding {found}, which cannot hold every name of a "
            "part or a file; make one with `CREATE DATABASE … ENCODING 'UTF8' TEMPLATE "
            "template0`, and name it in LINEWATCH_DATABASE_URL"
        )


def _begin(connection: Connection) -> None:
    """Wait for another migration, but not for whoever reads: that could be somebody's for hours."""
    lock_schema(connection)
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(_PATIENCE)
        connection.exec_driver_sql(_PAUSES)
