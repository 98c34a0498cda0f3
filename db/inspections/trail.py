"""A message's trail: all that SQL knows of a picture or a task, in order of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, Engine, or_, select

from db.base import table_of
from db.session import reading
from db.tables import DeadLetter, Inspection, Requeue, Suspect

MOST = 200  # letters of one message
_INSPECTIONS, _LETTERS = table_of(Inspection), table_of(DeadLetter)
_REQUEUES, _SUSPECTS = table_of(Requeue), table_of(Suspect)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that happened; `letter` where a dead letter says more. `detail` is for people."""

    at: datetime
    what: str
    detail: str
    letter: int | None = None


def trail(engine: Engine, id_: str, *, blind: bool = False) -> list[Step]:
    """What happened to a picture (by its id), or to a task's message, oldest first.

    Args:
        engine: the database.
        id_: of the picture or the task.
        blind: leave out what a model said of the picture.
    """
    try:
        picture = UUID(id_)
    except ValueError:
        picture = None
    steps: list[Step] = []
    with reading(engine) as connection:
        if picture is not None:
            steps += _inspection(connection, picture, blind)
            steps += _suspected(connection, picture)
        steps += _letters(connection, id_, picture)
    return sorted(steps, key=lambda step: step.at)


def _inspection(connection: Connection, id_: UUID, blind: bool) -> list[Step]:
    row = connection.execute(select(_INSPECTIONS).where(_INSPECTIONS.c.id == id_)).one_or_none()
    if row is None:
        return []
    where = f"{row.line or '–'} / {row.camera or '–'}, part {row.part or '–'}"
    said = [] if blind else [row.verdict, row.defect_class, row.reason]
    verdict = " ".join(filter(None, said))
    by = f"by {row.worker or '–'} with {row.model_version or 'no model'}, attempt {row.attempt}"
    steps = [
        Step(at, what, detail)
        for at, what, detail in (
            (row.captured_at, "captured", where),
            (row.enqueued_at, "enqueued", f"trace {row.trace_id}" if row.trace_id else ""),
            (row.decided_at, "decided", f"{verdict} {by}".strip()),
        )
        if at is not None
    ]
    leave = select(_REQUEUES).where(_REQUEUES.c.image_id == id_)
    for again in connection.execute(leave):
        detail = f"by {again.by}; its next verdict replaces this one"
        steps.append(Step(again.requeued_at, "sent again", detail, again.letter_id))
    return steps


def _suspected(connection: Connection, id_: UUID) -> list[Step]:
    query = select(_SUSPECTS).where(_SUSPECTS.c.image_id == id_)
    return [
        Step(
            row.seen_at,
            "suspected",
            f"{row.worker} died with it; {row.deaths} deaths, {row.alone} alone",
        )
        for row in connection.execute(query)
    ]


def _letters(connection: Connection, id_: str, picture: UUID | None) -> list[Step]:
    c = _LETTERS.c
    names = [c.task_id == id_]
    if picture is not None:
        names.append(c.image_id == picture)  # by no index: there are few
    steps = []
    columns = (c.id, c.received_at, c.reason, c.detail, c.addressed_at, c.addressed_by, c.note)
    for row in connection.execute(select(*columns).where(or_(*names)).limit(MOST)):
        steps.append(Step(row.received_at, "dead-lettered", f"{row.reason}: {row.detail}", row.id))
        if row.addressed_at is not None:
            said = f"by {row.addressed_by}" + (f": {row.note}" if row.note else "")
            steps.append(Step(row.addressed_at, "addressed", said, row.id))
    return steps
