"""How far purges have come, see `RetentionMark`."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, select

from db.base import table_of
from db.session import transaction
from db.tables import RetentionMark
from db.upsert import insert_into

_TABLE = table_of(RetentionMark)
BEGINNING = datetime(1, 1, 2, tzinfo=UTC)


def marked_until(connection: Connection, kind: str, product: str) -> datetime:
    """Everything decided at or before this instant was handled."""
    where = (_TABLE.c.kind == kind) & (_TABLE.c.product == product)
    return connection.scalar(select(_TABLE.c.until).where(where)) or BEGINNING


def move_mark(connection: Connection, kind: str, product: str, until: datetime) -> None:
    """Note that everything decided at or before `until` was handled."""
    row = {"kind": kind, "product": product, "until": until}
    statement = insert_into(connection, _TABLE).values(row)
    keys = [_TABLE.c.kind, _TABLE.c.product]
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_={"until": until}))


def set_mark(engine: Engine, kind: str, product: str, until: datetime) -> None:
    """`move_mark` in a transaction of its own."""
    with transaction(engine) as connection:
        move_mark(connection, kind, product, until)
