"""Conditions that a rule finds again and again: one alert for as long as one lasts."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, select, update

from db.alerts import insert_or_renew
from db.base import table_of
from db.clock import database_now
from db.storable_text import storable
from db.tables import Alert

_TABLE = table_of(Alert)


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so now. What it is about tells it from others; its words may change."""

    kind: str
    severity: str
    message: str
    line: str | None = None
    product: str | None = None
    source: str | None = None

    @property
    def about(self) -> tuple[str, str | None, str | None, str | None]:
        """What it is about, as the table has it."""
        return self.kind, storable(self.line), storable(self.product), storable(self.source)


def settle(
    connection: Connection,
    kinds: Collection[str],
    found: Iterable[Condition],
    *,
    lasts: timedelta,
) -> list[int]:
    """Raise an alert for each condition that has none, and end those of conditions that are over.

    One that a person closed is not raised again while its condition lasts.

    Args:
        kinds: those that were looked for.
        found: all conditions of these kinds.
        lasts: how long after it was seen a condition is taken to last: some periods of looking.

    Returns:
        The numbers of the alerts that were raised.
    """
    c, now = _TABLE.c, database_now(connection)
    known = _latest(connection, kinds, recent=now - lasts)
    raised, kept = [], set()
    for one in found:
        alert = known.get(one.about)
        if alert is None:
            raised.append(_raise(connection, one))
            continue
        kept.add(alert)
        connection.execute(update(_TABLE).where(c.id == alert).values(seen_at=now))
    over = (c.kind.in_(kinds), c.resolved_at.is_(None), c.id.not_in([*kept, *raised]))
    connection.execute(update(_TABLE).where(*over).values(resolved_at=now))
    return raised


def _latest(
    connection: Connection, kinds: Collection[str], recent: object
) -> dict[tuple[str, str | None, str | None, str | None], int]:
    """Alerts that stand, and those a person closed whose conditions were seen lately."""
    c = _TABLE.c
    closed = c.closed_by.is_not(None) & (c.seen_at >= recent)
    query = select(c.id, c.kind, c.line, c.product, c.source)
    query = query.where(c.kind.in_(kinds), c.resolved_at.is_(None) | closed).order_by(c.id)
    return {tuple(row[1:]): row.id for row in connection.execute(query)}


def _raise(connection: Connection, one: Condition) -> int:
    kind, line, product, source = one.about
    about = {"kind": kind, "line": line, "product": product, "source": source}
    row = {**about, "severity": one.severity, "message": storable(one.message, 2000)}
    return insert_or_renew(connection, row, about=about)
