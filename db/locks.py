"""Locks between transactions on PostgreSQL, each held until its transaction's end.

No advisory locks: those anybody who may connect can take, and keep. On SQLite a write transaction
is alone already.
"""

from __future__ import annotations

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from db.outage import sqlstate

# What the loser of two CREATE TABLE meets: a unique key of the catalogue, or the table.
_MADE_MEANWHILE = ("23505", "42P07")
_VERSIONS = (
    "CREATE TABLE IF NOT EXISTS alembic_version "
    "(version_num VARCHAR(32) NOT NULL, CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


def lock_golden(connection: Connection) -> None:
    """Wait until no other transaction changes golden sets, and keep them from it."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT linewatch_lock('golden')"))


def lock_schema(connection: Connection) -> None:
    """Wait until no other transaction changes the schema or its roles, and keep them from it.

    The table of the schema's version is what is locked, made as Alembic does where it is missing:
    nobody but its owner has the rights to such a lock. Reading it goes on.
    """
    if connection.dialect.name != "postgresql":
        return
    try:
        with connection.begin_nested():
            connection.exec_driver_sql(_VERSIONS)
    except DBAPIError as error:
        if sqlstate(error) not in _MADE_MEANWHILE:
            raise
    connection.exec_driver_sql("LOCK TABLE alembic_version IN SHARE ROW EXCLUSIVE MODE")
