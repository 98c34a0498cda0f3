"""Who was told of what, and what is still to be told."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Engine, and_, or_, select, update

from db.alerts import COLUMNS, AlertInfo
from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.storable_text import storable
from db.tables import Alert, AlertNotice
from db.upsert import insert_into

LOOK_BACK = timedelta(days=1)  # alerts that ended longer ago are told no more
MOST = 500  # alerts at once
_TABLE, _ALERTS = table_of(AlertNotice), table_of(Alert)


@dataclass(frozen=True, slots=True)
class Key:
    """A telling: of `subject` through `channel`; `what` is raised, repeat, closed or summary."""

    subject: str
    channel: str
    what: str
    number: int = 0


@dataclass(frozen=True, slots=True)
class Notice:
    """A telling as it stands; `told_at` None: not yet, and not before `next_at`."""

    key: Key
    claimed_at: datetime
    told_at: datetime | None
    attempts: int
    next_at: datetime | None
    problem: str | None


def subject_of(alert: int) -> str:
    """How notices call an alert."""
    return f"alert:{alert}"


def current_alerts(connection: Connection) -> list[AlertInfo]:
    """Alerts that stand or ended within `LOOK_BACK`, oldest first; the newest `MOST`."""
    c = _ALERTS.c
    recent = database_now(connection) - LOOK_BACK
    query = select(*COLUMNS).where(c.resolved_at.is_(None) | (c.resolved_at > recent))
    rows = connection.execute(query.order_by(c.id.desc()).limit(MOST)).mappings()
    return [AlertInfo(**row) for row in rows][::-1]


def of_subjects(connection: Connection, subjects: Collection[str]) -> dict[str, list[Notice]]:
    """What was told of each subject, or is being told."""
    c = _TABLE.c
    found: defaultdict[str, list[Notice]] = defaultdict(list)
    query = select(_TABLE).where(c.subject.in_(list(subjects)))
    for row in connection.execute(query.order_by(c.claimed_at)):
        key = Key(row.subject, row.channel, row.what, row.number)
        found[row.subject].append(
            Notice(key, row.claimed_at, row.told_at, row.attempts, row.next_at, row.problem)
        )
    return dict(found)


def of_alerts(engine: Engine, alerts: Collection[int]) -> dict[str, list[Notice]]:
    """The same of alerts by their numbers, for people."""
    with reading(engine) as connection:
        return of_subjects(connection, [subject_of(alert) for alert in alerts])


def claim(connection: Connection, keys: Sequence[Key], *, by: str, again_after: timedelta) -> None:
    """Note that `by` is about to tell these; if it dies over it, others may `again_after`."""
    now = database_now(connection)
    again = now + again_after
    for key in keys:
        statement = insert_into(connection, _TABLE).values(
            subject=key.subject,
            channel=key.channel,
            what=key.what,
            number=key.number,
            claimed_at=now,
            claimed_by=storable(by, 200),
            attempts=1,
            next_at=again,
        )
        connection.execute(
            statement.on_conflict_do_update(
                index_elements=[*_TABLE.primary_key.columns],
                set_={
                    "attempts": _TABLE.c.attempts + 1,
                    "claimed_by": statement.excluded.claimed_by,
                    "next_at": again,
                },
            )
        )


def told(connection: Connection, keys: Sequence[Key]) -> None:
    """Note that these were told."""
    now = database_now(connection)
    connection.execute(
        update(_TABLE).where(_are(keys)).values(told_at=now, next_at=None, problem=None)
    )


def failed(connection: Connection, keys: Sequence[Key], problem: str, after: timedelta) -> None:
    """Note why these could not be told, and when to try again."""
    next_at = database_now(connection) + after
    words = storable(problem, 500)
    connection.execute(update(_TABLE).where(_are(keys)).values(next_at=next_at, problem=words))


def _are(keys: Sequence[Key]) -> ColumnElement[bool]:
    c = _TABLE.c
    return or_(
        *(
            and_(
                c.subject == key.subject,
                c.channel == key.channel,
                c.what == key.what,
                c.number == key.number,
            )
            for key in keys
        )
    )
