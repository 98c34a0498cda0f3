"""What is kept of pictures that are purged: what their parts are, and that they were counted."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, exists, func, or_, select, union

from db.base import table_of
from db.tables import Inspection, PurgedSingle, PurgedView
from db.upsert import insert_into, insert_many_into, many
from quality.parts.parts import production_time

_INSPECTIONS = table_of(Inspection)
_TABLE = table_of(PurgedView)
_SINGLES = table_of(PurgedSingle)
_CHUNK = 400  # SQLite binds a few thousand values a statement
_COPIED = [column.name for column in _TABLE.columns]


def keep_views(
    connection: Connection, chosen: ColumnElement[bool], batch: int | None = None
) -> int:
    """Keep what inspections say of parts, before they are deleted; harmless while they are there.

    Args:
        chosen: which inspections.
        batch: how many at most; None: all.

    Returns:
        How many were not kept yet. Of those without a serial number, which are counted already,
        the ids are kept.
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
    return len(rows) + _keep_ids(connection, chosen, batch)


def counted_before(connection: Connection, ids: Collection[UUID]) -> frozenset[UUID]:
    """Which of these new pictures a purge took once; on SQLite, see `linewatch_commit`."""
    all_ids, found = sorted(ids), set[UUID]()
    for start in range(0, len(all_ids), _CHUNK):
        chunk = all_ids[start : start + _CHUNK]
        both = (select(t.c.id).where(t.c.id.in_(chunk)) for t in (_TABLE, _SINGLES))
        found.update(connection.scalars(union(*both)))
    return frozenset(found)


def _keep_ids(connection: Connection, chosen: ColumnElement[bool], batch: int | None) -> int:
    c = _INSPECTIONS.c
    query = (
        select(c.id, func.coalesce(c.product, ""))
        .where(chosen, or_(c.part.is_(None), c.part == ""))
        .where(~exists(select(_SINGLES.c.id).where(_SINGLES.c.id == c.id)))
        .limit(batch)
    )
    insert = insert_into(connection, _SINGLES).from_select(["id", "product"], query)
    # Not `rowcount`: of an INSERT from a SELECT the driver of PostgreSQL may say -1.
    kept = insert.on_conflict_do_nothing().returning(_SINGLES.c.id)
    return len(connection.execute(kept).all())


def _row(row: dict[str, Any]) -> dict[str, Any]:
    captured_at, decided_at = row.pop("captured_at"), row.pop("decided_at")
    if row["made_at"] is None:  # an inspection of before there were parts
        row["made_at"], row["by_receipt"] = production_time(captured_at, decided_at)
    return {**row, "product": row["product"] or ""}
