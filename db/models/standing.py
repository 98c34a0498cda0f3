"""What serves a product, as it was read: the expected value of a compare-and-set."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, Engine, select

from db.base import table_of
from db.session import reading
from db.tables import Deployment
from linewatch.errors import ModelChangedError

CHAMPION = "champion"
SHADOW = "shadow"
_TABLE = table_of(Deployment)


@dataclass(frozen=True, slots=True)
class Standing:
    """What serves a product in a role, as it was read: what a decision about it rests on.

    Attributes:
        product, role: whose, and champion or shadow.
        version: what is in force; None: nothing is.
        last: that one, or the one that was in force last; None where none ever was.
        change: number of the newest change, 0 before the first. Give the standing as `expected` to
            what changes it: that is refused once there is a newer one.
    """

    product: str
    role: str
    version: str | None
    last: str | None
    change: int


def standing(engine: Engine, product: str, role: str = CHAMPION) -> Standing:
    """What serves `product` in a role now, to decide on and to give back as `expected`."""
    with reading(engine) as connection:
        return standing_within(connection, product, role)


def standing_within(connection: Connection, product: str, role: str) -> Standing:
    """`standing` in a transaction of the caller's: one statement, so of one moment."""
    c = _TABLE.c
    mine = (c.product == product) & (c.role == role)
    served = select(c.version).where(mine, c.version.is_not(None)).order_by(c.id.desc()).limit(1)
    query = select(c.id, c.version, served.scalar_subquery().label("last")).where(mine)
    row = connection.execute(query.order_by(c.id.desc()).limit(1)).one_or_none()
    if row is None:
        return Standing(product, role, None, None, 0)
    return Standing(product, role, row.version, row.last, row.id)


def refuse_changed(connection: Connection, expected: Standing) -> None:
    """Make sure that nothing changed since; call it where nobody else can change it any more.

    Raises:
        ModelChangedError: says what it is now, by whom, since when and why.
    """
    product, role = expected.product, expected.role
    c = _TABLE.c
    query = select(c.id, c.version, c.by, c.since, c.why)
    query = query.where(c.product == product, c.role == role).order_by(c.id.desc()).limit(1)
    newest = connection.execute(query).one_or_none()
    if newest is None or newest.id == expected.change:
        return
    now = "no version" if newest.version is None else newest.version
    why = f" ({newest.why})" if newest.why else ""
    raise ModelChangedError(
        f"the {role} of {product} was changed meanwhile: since "
        f"{newest.since:%Y-%m-%d %H:%M:%S} UTC it is {now}, by {newest.by}{why}; nothing was done: "
        "look at `linewatch models list`, then decide anew"
    )
