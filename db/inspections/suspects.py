"""Pictures under suspicion of killing workers: counted before each trial, cleared after it.

Messages that kill before anybody reads their pictures too, under a key of their content.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, func, select, text, update

from db.base import table_of
from db.clock import database_now
from db.session import reading
from db.tables import Suspect
from db.upsert import insert_into

_TABLE = table_of(Suspect)


@dataclass(frozen=True, slots=True)
class Counts:
    """How many workers died with a picture in their hands, and with how many it was alone."""

    deaths: int
    alone: int


def counts(engine: Engine, ids: Sequence[UUID]) -> dict[UUID, Counts]:
    """The counts of those of `ids` that are under suspicion."""
    query = select(_TABLE.c.image_id, _TABLE.c.deaths, _TABLE.c.alone)
    with reading(engine) as connection:
        rows = connection.execute(query.where(_TABLE.c.image_id.in_(list(ids))))
        return {row.image_id: Counts(row.deaths, row.alone) for row in rows}


def begin_trial(
    connection: Connection, ids: Sequence[UUID], *, alone: bool, worker: str, before: int = 1
) -> None:
    """Count one more death for each picture, in advance: who dies cannot count.

    A first trial follows `before` deaths: one, that of the worker that had the message first,
    unless that worker gave it back.
    """
    if not ids:
        return
    now = database_now(connection)
    counted = {"deaths": before + 1, "alone": int(alone)}
    rows = [{"image_id": id_, **counted, "worker": worker, "seen_at": now} for id_ in sorted(ids)]
    statement = insert_into(connection, _TABLE).values(rows)
    connection.execute(
        statement.on_conflict_do_update(
            index_elements=[_TABLE.c.image_id],
            set_={
                "deaths": _TABLE.c.deaths + 1,
                "alone": _TABLE.c.alone + statement.excluded.alone,
                "worker": statement.excluded.worker,
                "seen_at": statement.excluded.seen_at,
            },
        )
    )


def mark_alone(connection: Connection, id_: UUID) -> None:
    """Nobody else can be to blame for its last trial, which is counted already."""
    statement = update(_TABLE).where(_TABLE.c.image_id == id_)
    connection.execute(statement.values(alone=_TABLE.c.alone + 1))


def acquit(connection: Connection, ids: Sequence[UUID]) -> None:
    """The worker lived: forget the suspicion."""
    if ids:
        if connection.dialect.name == "postgresql":  # workers may not DELETE, see `db.roles`
            connection.execute(text("SELECT linewatch_acquit(:ids)"), {"ids": list(ids)})
        else:
            connection.execute(delete(_TABLE).where(_TABLE.c.image_id.in_(list(ids))))


def total(engine: Engine) -> int:
    """How many pictures and messages are under suspicion."""
    with reading(engine) as connection:
        return int(connection.scalar(select(func.count()).select_from(_TABLE)) or 0)
