"""How far purges have come, see `RetentionMark`."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, select

from db.base import table_of
from db.tables import RetentionMark
from db.upsert import insert_into

_TABLE = table_of(RetentionMark)
BEGINNING = datetime(1, 1, 2, tzinfo=UTC)


def marked_until(connection: Connection, kind: str, product: str) -> datetime:
    """Everything decided at or before this instant was handled."""
    where = (_TABLE.c.kind == kind) & (_TABLE.c.product == product)
    return connection.scalar(select(_TABLE.c.until).where(where)) or BEGINNING


def move_mark(connection: Connection, kind: str, product: str, until: datetime) -> None:
    """Note that everything decided at or before `until` was handled; a mark never goes back.

    Of two purges at once the slower one would move it back.
    """
    row = {"kind": kind, "product": product, "until": until}
    statement = insert_into(connection, _TABLE).values(row)
    keys = [_TABLE.c.kind, _TABLE.c.product]
    further = statement.on_conflict_do_update(
        index_elements=keys, set_={"until": until}, where=_TABLE.c.until < until
    )
    connection.execute(further)
