"""Frozen golden sets: what models are compared on must not change while they are."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, Engine, delete, func, select

from db import audit
from db.base import table_of
from db.clock import database_now
from db.locks import lock_golden
from db.session import reading
from db.storable_text import storable
from db.tables import GoldenItem, GoldenSet
from db.upsert import insert_into
from linewatch.errors import LabelError

_TABLE = table_of(GoldenSet)
_ITEMS = table_of(GoldenItem)
_FORMER = "default"  # where 0.1.0's commands put pictures, while its gate read another set


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


def alone(connection: Connection) -> None:
    """Wait until no other transaction changes golden sets, and keep them from it until the end.

    Or a picture that joins while the set is frozen would be missing in its digest.
    """
    lock_golden(connection)


def freeze(
    connection: Connection, product: str, set_name: str, *, digest: str, pictures: int, by: str
) -> FrozenSet:
    """Record the set's digest, unless it is frozen already; returns the record that holds.

    Raises:
        LabelError: the set holds no picture.
    """
    if not pictures:
        raise LabelError(f"{product} has no golden set {set_name!r}; `linewatch golden add` first")
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
        detail = {"pictures": pictures, "digest": digest}
        audit.append(connection, by, "golden.freeze", f"{product}/{set_name}", detail)
    found = frozen_within(connection, product, set_name)
    assert found is not None
    return found


def frozen(engine: Engine, product: str, set_name: str) -> FrozenSet | None:
    """The set as it was frozen, or None."""
    with reading(engine) as connection:
        return frozen_within(connection, product, set_name)


def frozen_within(connection: Connection, product: str, set_name: str) -> FrozenSet | None:
    """`frozen` in a transaction of the caller's."""
    where = (_TABLE.c.product == product) & (_TABLE.c.set_name == set_name)
    row = connection.execute(select(_TABLE).where(where)).one_or_none()
    return None if row is None else FrozenSet(*row)


def usual(engine: Engine, product: str, named: str) -> str:
    """The set that is meant where nobody names one: what commands fill and the gate reads.

    Args:
        engine: the database.
        product: whose.
        named: LINEWATCH_GOLDEN_SET. A product without such a set that has one of version 0.1.0's
            name keeps using that: its pictures and the digest it was frozen with stay as they are.
    """
    names = {one.set_name for one in all_sets(engine, product)}
    return _FORMER if named not in names and _FORMER in names else named


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
    """Make sure that pictures may join and leave the set.

    Raises:
        LabelError: it is frozen.
    """
    if frozen_within(connection, product, set_name) is not None:
        raise LabelError(
            f"golden set {product}/{set_name} is frozen, so no picture joins or leaves it; begin a "
            "new one under another name"
        )


def thaw(connection: Connection, product: str, set_name: str) -> None:
    """Forget that the set was frozen: it was dissolved."""
    where = (_TABLE.c.product == product) & (_TABLE.c.set_name == set_name)
    connection.execute(delete(_TABLE).where(where))
