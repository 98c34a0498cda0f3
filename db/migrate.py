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

from db.session import database_url, engine_for, explained, reading, transaction
from linewatch.errors import DatabaseError

_LOCK = 0x11E3_A7C4  # any number of our own: what PostgreSQL's advisory lock is called


def upgrade(url: str, revision: str = "head") -> None:
    """Bring the schema to `revision`: all of it in one transaction, or none.

    Two that start at once are harmless: the second waits, then finds nothing to do.

    Raises:
        DatabaseError: the database did not answer, or refused.
    """
    with explained(url), transaction(engine_for(url)) as connection:
        _lock(connection)
        command.upgrade(_config(connection), revision)


def downgrade(url: str, revision: str) -> None:
    """Take the schema back to `revision`; 'base' drops everything, data included.

    Raises:
        DatabaseError: see `upgrade`.
    """
    with explained(url), transaction(engine_for(url)) as connection:
        _lock(connection)
        command.downgrade(_config(connection), revision)


def current(url: str) -> str | None:
    """The schema's revision, or None where there is none.

    Raises:
        DatabaseError: see `upgrade`.
    """
    with explained(url), reading(engine_for(url)) as connection:
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
    place = database_url(url).render_as_string(hide_password=True)
    if have is None:
        return f"database {place} has no Linewatch tables yet; run `linewatch db upgrade`"
    if have not in {script.revision for script in _scripts().walk_revisions()}:
        return (
            f"database {place} is at revision {have}, which this version of Linewatch does not "
            "know; install the version that wrote it, or a newer one"
        )
    return f"database {place} is at revision {have} and needs {need}; run `linewatch db upgrade`"


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


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":  # SQLite's write transaction is alone already
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
