"""Rows that are over by themselves: sessions and links of the console, notices of alerts."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    String,
    and_,
    cast,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
)

from db.alerting.notices import subject_of
from db.base import table_of
from db.session import reading
from db.tables import Alert, AlertNotice, ConsoleLink, ConsoleSession

_ALERTS = table_of(Alert)


class EndedKind(StrEnum):
    """What ends by itself."""

    SESSIONS = "sessions"
    LINKS = "links"
    NOTICES = "notices"


_TABLES = {
    EndedKind.SESSIONS: table_of(ConsoleSession),
    EndedKind.LINKS: table_of(ConsoleLink),
    EndedKind.NOTICES: table_of(AlertNotice),
}


def count_ended(engine: Engine, before: datetime) -> dict[EndedKind, int]:
    """How many of each kind were over before."""
    found = {}
    with reading(engine) as connection:
        for kind, table in _TABLES.items():
            query = select(func.count()).select_from(table).where(_ended(kind, before))
            found[kind] = connection.scalar(query) or 0
    return found


def purge_ended(connection: Connection, kind: EndedKind, before: datetime, batch: int) -> int:
    """Delete so many that were over before; returns how many went."""
    table = _TABLES[kind]
    key = tuple_(*table.primary_key.columns)
    some = select(*table.primary_key.columns).where(_ended(kind, before)).limit(batch)
    return connection.execute(delete(table).where(key.in_(some))).rowcount


def _ended(kind: EndedKind, before: datetime) -> ColumnElement[bool]:
    c = _TABLES[kind].c
    if kind is EndedKind.SESSIONS:
        return or_(c.expires_at < before, c.revoked_at < before)
    if kind is EndedKind.LINKS:
        return or_(c.expires_at < before, c.used_at < before)
    # Without its notices an alert that stands would be told once more.
    a = _ALERTS.c
    name = literal(subject_of(0)[:-1]) + cast(a.id, String)
    stands = select(name).where(or_(a.resolved_at.is_(None), a.resolved_at >= before))
    return and_(c.claimed_at < before, c.subject.not_in(stands))
