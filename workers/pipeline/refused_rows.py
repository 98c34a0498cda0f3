"""What becomes of a row that the database refuses each time: a dead letter that it does take.

Whatever the error is (a value out of range, a constraint, a trigger that raises, a name that the
encoding lacks), the same row would be refused for ever, and its message come back for ever.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from uuid import UUID

from sqlalchemy import Engine

from db.inspections.records import InspectionRecord, Outcome
from db.outage import away, in_a_line
from db.storable_text import in_ascii
from producer.contract import Reason, Verdict
from workers.broker import dead_letter
from workers.pipeline.commit_request import Committable

MAX_REFUSALS = 3

Commit = Callable[[Sequence[InspectionRecord]], dict[UUID, Outcome]]


def bury(
    engine: Engine,
    commit: Commit,
    request: Committable,
    error: Exception,
) -> Outcome:
    """Keep the picture's message as a dead letter, and a row that says so; returns how it ended.

    Args:
        engine: the database.
        commit: commits rows; returns how each picture ended.
        request: that whose row was refused.
        error: how it was refused.

    Raises:
        Exception: the database is away, or refuses this too: then the row is not to blame.
    """
    record = request.row
    detail = in_ascii(
        f"the database refused its row {MAX_REFUSALS} times: {in_a_line(error)}; mend that, then "
        "`linewatch dead-letters requeue`"
    )
    dead_letter.keep(
        engine,
        request.message(),
        reason=Reason.POISON,
        detail=detail,
        task_id=str(record.id),  # the picture's own: told once, however often it is delivered
        image_id=record.id,
    )
    try:
        return commit([_known(record, detail)])[record.id]
    except Exception as refused:
        if away(refused):
            raise
        return commit([_bare(record, detail)])[record.id]


def _known(record: InspectionRecord, detail: str) -> InspectionRecord:
    """What reports ask for first, as far as any database can hold it."""
    return InspectionRecord.unreadable(
        record.id,
        verdict=Verdict.DEAD_LETTER,
        reason=Reason.POISON,
        detail=detail,
        worker=_plain(record.worker),
        product=_plain(record.product),
        line=_plain(record.line),
        image_uri=None if record.image_uri is None else in_ascii(record.image_uri),
    )


def _bare(record: InspectionRecord, detail: str) -> InspectionRecord:
    """The least that accounts for the picture."""
    return InspectionRecord.unreadable(
        record.id, verdict=Verdict.DEAD_LETTER, reason=Reason.POISON, detail=detail
    )


def _plain(text: str | None) -> str | None:
    return text if text is None or text.isascii() else None
