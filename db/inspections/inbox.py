"""Dead letters as an inbox: which wait for somebody, who saw to the others, and how."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

from sqlalchemy import ColumnElement, Connection, Engine, delete, func, select, update

from db import audit
from db.base import table_of
from db.clock import database_now
from db.inspections.dead_letters import Letter
from db.session import reading
from db.storable_text import storable
from db.tables import DeadLetter, Requeue
from linewatch.errors import DeadLetterError

STATES = ("waiting", "addressed", "all")
LONGEST_NOTE = 2000
MOST_AT_ONCE = 500
_TABLE, _REQUEUES = table_of(DeadLetter), table_of(Requeue)
_SHOWN = 300  # characters of a letter's detail in a list
_COLUMNS = [
    _TABLE.c[field.name] for field in fields(Letter) if field.name not in ("payload", "detail")
]


@dataclass(frozen=True, slots=True)
class Inbox:
    """A page of the inbox: letters without their payload, newest first.

    Attributes:
        awaited: those of them that were sent again, with pictures that have no new verdict yet.
        more: whether there are older ones.
    """

    letters: tuple[Letter, ...]
    awaited: frozenset[int]
    more: bool


def read(engine: Engine, *, state: str, reason: str | None, after: int | None, limit: int) -> Inbox:
    """Letters by their numbers, newest first.

    Args:
        state: of `STATES`.
        after: the number of the last letter of the page before.

    Raises:
        DeadLetterError: there is no such state.
    """
    c = _TABLE.c
    detail = func.substr(c.detail, 1, _SHOWN).label("detail")
    query = select(*_COLUMNS, detail).where(*_where(state, reason))
    if after is not None:
        query = query.where(c.id < after)
    with reading(engine) as connection:
        rows = connection.execute(query.order_by(c.id.desc()).limit(limit + 1)).mappings().all()
        letters = tuple(Letter(**row, payload="") for row in rows[:limit])
        ids = [letter.id for letter in letters]
        waits = select(_REQUEUES.c.letter_id).where(_REQUEUES.c.letter_id.in_(ids))
        awaited = frozenset(connection.execute(waits).scalars()) if ids else frozenset()
    return Inbox(letters, awaited, len(rows) > limit)


def waiting_by_reason(engine: Engine) -> dict[str, int]:
    """How many letters wait for somebody, by reason; the most frequent first."""
    c = _TABLE.c
    query = select(c.reason, func.count()).where(*_where("waiting", None)).group_by(c.reason)
    with reading(engine) as connection:
        found = {row[0]: int(row[1]) for row in connection.execute(query)}
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def addressed(connection: Connection, ids: Collection[int], *, by: str, note: str = "") -> int:
    """Note that somebody saw to these letters; returns to how many that nobody had seen to."""
    c = _TABLE.c
    values = {
        "addressed_at": database_now(connection),
        "addressed_by": storable(by, 200),
        "note": storable(note, LONGEST_NOTE) or None,
    }
    where = (c.id.in_(list(ids)), c.addressed_at.is_(None))
    return connection.execute(update(_TABLE).where(*where).values(values)).rowcount


def address(connection: Connection, ids: Collection[int], *, by: str, note: str) -> int:
    """Say what was done about letters instead of sending them again; audited.

    Raises:
        DeadLetterError: no note, too many letters, or somebody saw to them meanwhile.
    """
    if not note.strip():
        raise DeadLetterError("say in a few words what was done about it")
    _refuse_many(ids)
    count = addressed(connection, ids, by=by, note=note)
    if not count:
        raise DeadLetterError("somebody saw to these letters meanwhile, or deleted them")
    detail = {"letters": sorted(ids), "note": note[:LONGEST_NOTE]}
    audit.append(connection, by, "dead_letter.address", "dead_letters", detail)
    return count


def remove(connection: Connection, ids: Collection[int], *, by: str) -> int:
    """Delete letters and the messages they keep; the pictures' rows stay. Audited.

    Raises:
        DeadLetterError: too many at once.
    """
    _refuse_many(ids)
    c = _TABLE.c
    found = connection.execute(select(c.id, c.reason, c.digest).where(c.id.in_(list(ids)))).all()
    connection.execute(delete(_TABLE).where(c.id.in_([row.id for row in found])))
    if found:
        old = [{"letter": row.id, "reason": row.reason, "digest": row.digest} for row in found]
        audit.append(connection, by, "dead_letter.purge", "dead_letters", {"old": old})
    return len(found)


def _refuse_many(ids: Collection[int]) -> None:
    if not 0 < len(ids) <= MOST_AT_ONCE:
        raise DeadLetterError(f"choose from 1 to {MOST_AT_ONCE} letters; {len(ids)} are chosen")


def _where(state: str, reason: str | None) -> list[ColumnElement[bool]]:
    if state not in STATES:
        raise DeadLetterError(f"no letters are {state!r}; choose from {', '.join(STATES)}")
    c = _TABLE.c
    open_ = c.addressed_at.is_(None)
    chosen: list[ColumnElement[bool]] = (
        [] if state == "all" else [open_ if state == "waiting" else ~open_]
    )
    if reason is not None:
        chosen.append(c.reason == reason)
    return chosen
