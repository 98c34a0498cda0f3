"""Dead letters: messages that could not be judged, kept word for word."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, delete, select

from db import audit
from db.base import table_of
from db.session import reading, transaction
from db.tables import DeadLetter
from db.text import storable
from db.upsert import insert_into

_TABLE = table_of(DeadLetter)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter; `image_id` is None where it is about the whole message."""

    id: int
    received_at: datetime
    task_id: str | None
    reason: str
    detail: str
    payload: str
    image_id: UUID | None
    requeued_at: datetime | None


def add(
    engine: Engine,
    *,
    reason: str,
    detail: str,
    payload: str,
    task_id: str | None = None,
    image_id: UUID | None = None,
) -> int:
    """Keep a message; returns the letter's number.

    The same task and picture again is the same letter, and no longer counts as requeued.
    """
    row: dict[str, Any] = {
        "received_at": datetime.now(UTC),
        "task_id": storable(task_id, 255),
        "reason": str(reason),
        "detail": storable(detail, 2000),
        "payload": storable(payload),
        "image_id": image_id,
    }
    keys = [_TABLE.c.task_id] if image_id is None else [_TABLE.c.task_id, _TABLE.c.image_id]
    where = _TABLE.c.image_id.is_(None) if image_id is None else _TABLE.c.image_id.is_not(None)
    with transaction(engine) as connection:
        statement = insert_into(connection, _TABLE)
        again = {name: statement.excluded[name] for name in ("received_at", "reason", "detail")}
        statement = statement.on_conflict_do_update(
            index_elements=keys, index_where=where, set_={**again, "requeued_at": None}
        )
        return int(connection.execute(statement.values(row).returning(_TABLE.c.id)).scalar_one())


def newest(
    engine: Engine,
    *,
    limit: int = 100,
    requeued: bool | None = None,
    reason: str | None = None,
) -> list[Letter]:
    """Letters, newest first; `requeued` picks those that were, or were not, sent again."""
    query = select(_TABLE).order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc()).limit(limit)
    if requeued is not None:
        sent = _TABLE.c.requeued_at.is_not(None)
        query = query.where(sent if requeued else ~sent)
    if reason is not None:
        query = query.where(_TABLE.c.reason == reason)
    with reading(engine) as connection:
        return [Letter(**row) for row in connection.execute(query).mappings()]


def get(engine: Engine, letter_id: int) -> Letter | None:
    """One letter, or None."""
    with reading(engine) as connection:
        query = select(_TABLE).where(_TABLE.c.id == letter_id)
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Letter(**row)


def purge(engine: Engine, *, before: datetime, by: str) -> int:
    """Delete the letters received before `before`; returns how many."""
    with transaction(engine) as connection:
        statement = delete(_TABLE).where(_TABLE.c.received_at < before)
        count = connection.execute(statement).rowcount
        if count:
            detail = {"before": before.isoformat(), "letters": count}
            audit.append_within(connection, by, "dead_letter.purge", "dead_letters", detail)
        return count
