"""What is kept of pictures that are purged: enough to say what their parts are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, exists, select

from db.base import table_of
from db.tables import Inspection, PurgedView
from db.upsert import insert_many_into, many
from quality.parts.parts import production_time

_INSPECTIONS = table_of(Inspection)
_TABLE = table_of(PurgedView)
_COPIED = [column.name for column in _TABLE.columns]


def keep_views(
    connection: Connection, chosen: ColumnElement[bool], batch: int | None = None
) -> int:
    """Keep what inspections say of parts, before they are deleted; harmless while they are there.

    Args:
        chosen: which inspections.
        batch: how many at most; None: all.

    Returns:
        How many were not kept yet; those without a serial number are counted already, and need
        nothing kept.
    """
    c = _INSPECTIONS.c
    query = (
        select(*(c[name] for name in _COPIED), c.captured_at, c.decided_at)
        .where(chosen, c.part.is_not(None), c.part != "")
        .where(~exists(select(_TABLE.c.id).where(_TABLE.c.id == c.id)))
        .limit(batch)
    )
    rows = [_row(dict(row)) for row in connection.execute(query).mappings()]
    if rows:
        statement = insert_many_into(connection, _TABLE).on_conflict_do_nothing()
        connection.execute(statement.returning(_TABLE.c.id), many(connection, rows))
    return len(rows)


def _row(row: dict[str, Any]) -> dict[str, Any]:
    captured_at, decided_at = row.pop("captured_at"), row.pop("decided_at")
    if row["made_at"] is None:  # an inspection of before there were parts
        row["made_at"], row["by_receipt"] = production_time(captured_at, decided_at)
    return {**row, "product": row["product"] or ""}
