"""Dead letters on their way back: how a dead-lettered picture gets another verdict.

The picture's row stays `dead_letter` until its next verdict is committed, and that commit replaces
it: accepted = judged + rejected + dead-lettered holds at every moment, and a requeue that is cut
off at any point can be repeated. Leave to replace is given once and used once; without it a second
delivery changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, select, update

from db import audit
from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import Inspection, Requeue, Suspect
from db.upsert import insert_into
from linewatch.errors import DeadLetterError
from producer.contract import Verdict

_TABLE = table_of(Requeue)
_INSPECTIONS = table_of(Inspection)


def allow(connection: Connection, letter_id: int, ids: Sequence[UUID], *, by: str) -> list[UUID]:
    """Let the next verdicts of `ids` replace their dead-letter rows; clears their suspicion too.

    Returns:
        Those that have such a row; the others are new to the database, or were judged already.

    Raises:
        DeadLetterError: some were judged at this moment, and leave for them would never be used.
    """
    dead = _dead(connection, ids)
    now = database_now(connection)
    fields = {"letter_id": letter_id, "by": by, "requeued_at": now}
    if dead:
        statement = insert_into(connection, _TABLE)
        statement = statement.values([{"image_id": id_, **fields} for id_ in dead])
        again = {name: statement.excluded[name] for name in fields}
        connection.execute(
            statement.on_conflict_do_update(index_elements=[_TABLE.c.image_id], set_=again)
        )
        # Whoever replaces a row locks its leave first. So that of an earlier requeue may have been
        # used up while we waited for it; from here on nobody uses one.
        if judged := set(dead) - set(_dead(connection, dead)):
            raise DeadLetterError(
                f"letter {letter_id}: {len(judged)} of its pictures, such as {min(judged)}, were "
                "judged meanwhile, so nothing was sent; look at `linewatch dead-letters list`, and "
                "send it again if others are missing"
            )
    suspects = table_of(Suspect)
    connection.execute(delete(suspects).where(suspects.c.image_id.in_(list(ids))))
    detail = {"pictures": len(ids), "replacing": len(dead)}
    audit.append(connection, by, "dead_letter.requeue", str(letter_id), detail)
    return dead


def _dead(connection: Connection, ids: Sequence[UUID]) -> list[UUID]:
    query = select(_INSPECTIONS.c.id).where(
        _INSPECTIONS.c.id.in_(list(ids)), _INSPECTIONS.c.verdict == str(Verdict.DEAD_LETTER)
    )
    return sorted(connection.execute(query).scalars())


def awaited(engine: Engine, ids: Sequence[UUID]) -> frozenset[UUID]:
    """Those of `ids` whose row the next verdict may replace."""
    if not ids:
        return frozenset()
    with reading(engine) as connection:
        query = select(_TABLE.c.image_id).where(_TABLE.c.image_id.in_(list(ids)))
        return frozenset(connection.execute(query).scalars())


def awaited_letters(engine: Engine) -> dict[int, int]:
    """For each letter that was sent again, how many of its pictures have no new verdict yet."""
    with reading(engine) as connection:
        found: dict[int, int] = {}
        for letter_id in connection.execute(select(_TABLE.c.letter_id)).scalars():
            found[letter_id] = found.get(letter_id, 0) + 1
        return found


def replaceable(engine: Engine, ids: Sequence[UUID]) -> dict[UUID, datetime]:
    """Those of `ids` whose dead letter may be replaced, with when that was decided."""
    if not ids:
        return {}
    dead = _INSPECTIONS.c.verdict == str(Verdict.DEAD_LETTER)
    query = (
        select(_INSPECTIONS.c.id, _INSPECTIONS.c.decided_at)
        .join(_TABLE, _TABLE.c.image_id == _INSPECTIONS.c.id)
        .where(_TABLE.c.image_id.in_(list(ids)), dead)
    )
    with reading(engine) as connection:
        return dict(connection.execute(query).all())


# It was made when it was made, whenever it is judged.
_KEPT = ("id", "made_at", "by_receipt")


def replace_rows(
    connection: Connection, rows: Sequence[Mapping[str, Any]]
) -> dict[UUID, Mapping[str, Any]]:
    """Write those of `rows` that may replace a dead-letter row; returns what they replaced.

    On SQLite. On PostgreSQL the function `linewatch_replace` does it, for workers that may not.
    """
    by_id = {row["id"]: row for row in rows}
    leave = select(_TABLE.c.image_id).where(_TABLE.c.image_id.in_(list(by_id)))
    ids = list(connection.execute(leave).scalars())
    if not ids:
        return {}
    connection.execute(delete(_TABLE).where(_TABLE.c.image_id.in_(ids)))
    query = select(_INSPECTIONS).where(
        _INSPECTIONS.c.id.in_(ids), _INSPECTIONS.c.verdict == str(Verdict.DEAD_LETTER)
    )
    replaced: dict[UUID, Mapping[str, Any]] = {
        row["id"]: dict(row) for row in connection.execute(query).mappings()
    }
    for id_ in replaced:
        fields = {name: value for name, value in by_id[id_].items() if name not in _KEPT}
        connection.execute(update(_INSPECTIONS).where(_INSPECTIONS.c.id == id_).values(fields))
    return replaced
