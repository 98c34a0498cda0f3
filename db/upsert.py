"""Inserts of many rows, and INSERT … ON CONFLICT, on both databases."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, Connection, Table, Text, bindparam, cast, column, func, select
from sqlalchemy.dialects import postgresql, sqlite

Insert = postgresql.Insert | sqlite.Insert


def insert_into(connection: Connection, table: Table) -> Insert:
    """An insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


def insert_many_into(connection: Connection, table: Table) -> Insert:
    """The same for many rows at once; execute it with `many(connection, rows)`.

    PostgreSQL gets the rows as one JSON text: a VALUES list of 64 inspections has 1,216 parameters,
    and the driver spends more time on those than the server on the rows. They are inserted, and so
    locked, in their order. On SQLite, ask it to return something: then SQLAlchemy sends one
    statement for many rows.
    """
    if connection.dialect.name != "postgresql":
        return sqlite.insert(table)
    columns = [column(c.name, c.type) for c in table.columns]
    document = cast(bindparam("rows", type_=Text), JSON)
    rows = func.json_to_recordset(document).table_valued(*columns)
    rows = rows.render_derived(name="new_rows", with_types=True)
    names = [c.name for c in table.columns]
    return postgresql.insert(table).from_select(names, select(*(rows.c[name] for name in names)))


def many(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> Any:
    """The parameters that `insert_many_into` takes: every column of every row."""
    if connection.dialect.name != "postgresql":
        return rows
    text = json.dumps(rows, default=_plain, separators=(",", ":"), allow_nan=False)
    return {"rows": text}


def _plain(value: object) -> str:
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, datetime) and value.utcoffset() is not None:
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"  # how PostgreSQL writes bytea
    raise ValueError(f"{value!r} cannot be stored; datetimes must have a time zone")
