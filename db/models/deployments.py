"""Deployments: which version serves which product, since when, by whom, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Engine, func, select

from db import audit
from db.audit_sample import shares
from db.base import table_of
from db.clock import database_now
from db.models.standing import (
    CHAMPION,
    SHADOW,
    Standing,
    refuse_changed,
    standing_within,
)
from db.session import reading
from db.tables import Deployment, ModelVersion
from linewatch.errors import ModelError

_TABLE = table_of(Deployment)


@dataclass(frozen=True, slots=True)
class Deployed:
    """One line of the history; `version` None means that none was in force from then on."""

    product: str
    version: str | None
    role: str
    since: datetime
    by: str
    why: str


def promote(
    connection: Connection,
    product: str,
    version: str,
    *,
    by: str,
    why: str,
    expected: Standing | None = None,
) -> None:
    """Make `version` the champion: workers swap to it between two batches.

    Args:
        connection: in the use case's transaction.
        product, version: which is to serve which.
        by, why: kept with the decision.
        expected: what the decision rests on; None: it holds whatever serves.

    Raises:
        ModelError: there is no such version, or it is another product's.
        ModelChangedError: the champion is not `expected` any more.
    """
    _put(connection, product, version, CHAMPION, by, why, action="model.promote", expected=expected)


def retire(
    connection: Connection, product: str, *, by: str, why: str, expected: Standing | None = None
) -> None:
    """Leave the product without a champion: every part goes to a person.

    Raises:
        ModelChangedError: see `promote`.
    """
    _put(connection, product, None, CHAMPION, by, why, action="model.retire", expected=expected)


def set_shadow(
    connection: Connection,
    product: str,
    version: str | None,
    *,
    by: str,
    why: str,
    expected: Standing | None = None,
) -> None:
    """Let `version` judge beside the champion without a say; None ends that.

    Raises:
        ModelError: see `promote`.
        ModelChangedError: the shadow is not `expected` any more.
    """
    _put(connection, product, version, SHADOW, by, why, action="model.shadow", expected=expected)


def rollback(
    connection: Connection, product: str, *, by: str, why: str, expected: Standing | None = None
) -> str:
    """Go back to the champion before this one, and so on back; returns it.

    Raises:
        ModelError: there was none before.
        ModelChangedError: the champion is not `expected` any more, or was changed meanwhile.
    """
    query = (
        select(_TABLE.c.version)
        .where(_TABLE.c.product == product, _TABLE.c.role == CHAMPION)
        .order_by(_TABLE.c.id)
    )
    found = expected or standing_within(connection, product, CHAMPION)
    rows = connection.execute(query).scalars().all()
    earlier = earlier_champions(list(rows))
    if not earlier:
        raise ModelError(f"{product} has no earlier champion to roll back to")
    target = earlier[-1]
    _put(connection, product, target, CHAMPION, by, why, action="model.rollback", expected=found)
    return target


def earlier_champions(history: list[str | None]) -> list[str]:
    """What lies under the champion, as undo sees it: A, B, C, back to B leaves only A.

    Returning to a version takes it and all that came after it off the pile, so that a rollback
    never leads forward to a version that was rolled back from.
    """
    pile: list[str] = []
    for version in history:
        if version in pile:
            del pile[pile.index(version) :]
        if version is not None:
            pile.append(version)
    in_force = history[-1] if history else None
    return pile[:-1] if in_force is not None else pile


def champion(engine: Engine, product: str) -> str | None:
    """The version that judges `product`, or None."""
    return _in_force(engine, CHAMPION).get(product)


def champions(engine: Engine) -> dict[str, str]:
    """The champion of every product that has one."""
    return _in_force(engine, CHAMPION)


def shadows(engine: Engine) -> dict[str, str]:
    """The shadow of every product that has one."""
    return _in_force(engine, SHADOW)


def history(engine: Engine, product: str) -> list[Deployed]:
    """Every change of a product's champion and shadow, newest first."""
    c = _TABLE.c
    query = select(c.product, c.version, c.role, c.since, c.by, c.why)
    with reading(engine) as connection:
        rows = connection.execute(query.where(c.product == product).order_by(c.id.desc()))
        return [Deployed(*row) for row in rows]


def _in_force(engine: Engine, role: str) -> dict[str, str]:
    newest = select(func.max(_TABLE.c.id)).where(_TABLE.c.role == role).group_by(_TABLE.c.product)
    query = select(_TABLE.c.product, _TABLE.c.version).where(
        _TABLE.c.id.in_(newest), _TABLE.c.version.is_not(None)
    )
    with reading(engine) as connection:
        return dict(connection.execute(query).all())


def _put(
    connection: Connection,
    product: str,
    version: str | None,
    role: str,
    by: str,
    why: str,
    *,
    action: str,
    expected: Standing | None,
) -> None:
    if version is not None:
        _refuse_foreign(connection, product, version)
    # The log's entry first: who writes one holds its lock until the end of the transaction, so from
    # here on nobody else changes what serves. Who may promote may write it; a lock on rows would
    # need a right to change them.
    audit.append(connection, by, action, product, {"version": version, "why": why})
    if expected is not None:
        refuse_changed(connection, expected)
    since = database_now(connection)
    row = {"product": product, "version": version, "role": role, "by": by, "why": why}
    connection.execute(_TABLE.insert(), {**row, "since": since})
    if role == CHAMPION:
        shares.follow(connection, product)


def _refuse_foreign(connection: Connection, product: str, version: str) -> None:
    query = select(ModelVersion.product).where(ModelVersion.version == version)
    owner = connection.execute(query).scalar()
    if owner is None:
        raise ModelError(f"no model is called {version!r}; see `linewatch models list`")
    if owner != product:
        raise ModelError(f"model {version} is for {owner}, not for {product}")
