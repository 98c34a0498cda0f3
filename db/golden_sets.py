"""Frozen golden sets: what models are compared on must not change while they are."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, delete, func, select

from db import audit
from db.base import table_of
from db.clock import database_now
from db.session import reading, transaction
from db.tables import GoldenItem, GoldenSet
from db.text import storable
from db.upsert import insert_into
from linewatch.errors import LabelError

_TABLE = table_of(GoldenSet)
_ITEMS = table_of(GoldenItem)


class FrozenSet(NamedTuple):
    """A set as it was frozen."""

    product: str
    set_name: str
    digest: str
    pictures: int
    frozen_at: datetime
    frozen_by: str


class SetInfo(NamedTuple):
    """A set with the number of its pictures; `frozen` is None while pictures may join it."""

    product: str
    set_name: str
    pictures: int
    frozen: FrozenSet | None


def freeze(
    engine: Engine, product: str, set_name: str, *, digest: str, pictures: int, by: str
) -> FrozenSet:
    """Record the set's digest, unless it is frozen already; returns the record that holds.

    Raises:
        LabelError: the set holds no picture.
    """
    if not pictures:
        raise LabelError(f"{product} has no golden set {set_name!r}; `linewatch golden add` first")
    with transaction(engine) as connection:
        row = {
            "product": product,
            "set_name": set_name,
            "digest": digest,
            "pictures": pictures,
            "frozen_at": database_now(connection),
            "frozen_by": storable(by, 200),
        }
        statement = insert_into(connection, _TABLE).on_conflict_do_nothing().values(row)
        if connection.execute(statement.returning(_TABLE.c.digest)).scalar() is not None:
            audit.append_within(
                connection,
                by,
                "golden.freeze",
                f"{product}/{set_name}",
                {"pictures": pictures, "digest": digest},
            )
    found = frozen(engine, product, set_name)
    assert found is not None
    return found


def frozen(engine: Engine, product: str, set_name: str) -> FrozenSet | None:
    """The set as it was frozen, or None."""
    where = (_TABLE.c.product == product) & (_TABLE.c.set_name == set_name)
    with reading(engine) as connection:
        row = connection.execute(select(_TABLE).where(where)).one_or_none()
    return None if row is None else FrozenSet(*row)


def all_sets(engine: Engine, product: str | None = None) -> list[SetInfo]:
    """Every golden set, by product and name."""
    c = _ITEMS.c
    query = select(c.product, c.set_name, func.count()).group_by(c.product, c.set_name)
    if product is not None:
        query = query.where(c.product == product)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(c.product, c.set_name)).all()
        kept = [FrozenSet(*row) for row in connection.execute(select(_TABLE)).all()]
    by_name = {(one.product, one.set_name): one for one in kept}
    return [SetInfo(code, name, count, by_name.get((code, name))) for code, name, count in rows]


def refuse_frozen(connection: Connection, product: str, set_name: str) -> None:
    """Make sure that pictures may join the set.

    Raises:
        LabelError: it is frozen.
    """
    where = (_TABLE.c.product == product) & (_TABLE.c.set_name == set_name)
    if connection.scalar(select(_TABLE.c.digest).where(where)) is not None:
        raise LabelError(
            f"golden set {product}/{set_name} is frozen; begin a new one under another name"
        )


def thaw(connection: Connection, product: str, set_name: str) -> None:
    """Forget that the set was frozen: it was dissolved."""
    where = (_TABLE.c.product == product) & (_TABLE.c.set_name == set_name)
    connection.execute(delete(_TABLE).where(where))
