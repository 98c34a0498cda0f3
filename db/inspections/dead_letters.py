"""Dead letters: messages that could not be judged, kept word for word.

Whoever may push to the queue can have letters written. So of each reason that a message alone can
bring about so many are kept, and so many bytes; what comes further is counted in the log.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, func, select, update

from db import audit
from db.base import table_of
from db.clock import database_now
from db.outage import away
from db.session import reading
from db.storable_text import in_ascii, storable
from db.tables import DeadLetter, Requeue
from db.upsert import insert_into
from linewatch.errors import DeadLetterError
from producer.contract import Reason

log = logging.getLogger(__name__)

MOST_LETTERS = 10_000  # of one reason
MOST_BYTES = 256 * 1024 * 1024  # of the messages they keep
# A picture is called poison after it took workers with it, or its row was refused: nobody writes
# ten thousand of those, and each is asked for by a row of its own.
_UNCAPPED = frozenset({str(Reason.POISON)})

_TABLE, _REQUEUES = table_of(DeadLetter), table_of(Requeue)


@dataclass(frozen=True, slots=True)
class Letter:
    """A dead letter; `image_id` is None where it is about the whole message.

    `addressed_by` saw to it last: sent it again, or said in `note` what they did instead.
    """

    id: int
    received_at: datetime
    task_id: str | None
    reason: str
    detail: str
    payload: str
    image_id: UUID | None
    requeued_at: datetime | None
    addressed_at: datetime | None = None
    addressed_by: str | None = None
    note: str | None = None


_COLUMNS = [_TABLE.c[column.name] for column in fields(Letter)]


def add(
    connection: Connection,
    *,
    reason: str,
    detail: str,
    payload: str,
    task_id: str | None = None,
    image_id: UUID | None = None,
) -> int | None:
    """Keep a message; returns the letter's number, or None where there are too many like it.

    The same payload, picture and reason again is the same letter, and no longer counts as
    requeued. Any other payload is another letter, whatever task id the message gave itself.

    A database that refuses the words (its encoding lacks them) is given them in ASCII.

    Raises:
        sqlalchemy.exc.DBAPIError: it is away, or refuses that too.
    """
    kept = storable(payload)
    row: dict[str, Any] = {
        "received_at": database_now(connection),
        "task_id": storable(task_id, 255),
        "reason": str(reason),
        "detail": storable(detail, 2000),
        "payload": kept,
        "digest": digest(payload, image_id, reason),
        "size": len(kept.encode()),
        "image_id": image_id,
    }
    try:
        with connection.begin_nested():
            return _put(connection, row)
    except Exception as error:
        if away(error):
            raise
        return _put(connection, {name: _in_ascii(value) for name, value in row.items()})


def digest(payload: str, image_id: UUID | None, reason: str) -> str:
    """What tells letters apart: SHA-256, in hex, of the reason, the picture and the payload."""
    words = f"{reason!s}\0{image_id or ''}\0{payload}"
    return hashlib.sha256(words.encode(errors="surrogatepass")).hexdigest()


def _put(connection: Connection, row: Mapping[str, Any]) -> int | None:
    if _too_many(connection, row):
        return None
    statement = insert_into(connection, _TABLE)
    statement = statement.on_conflict_do_update(
        index_elements=[_TABLE.c.digest],
        set_={
            "received_at": statement.excluded.received_at,
            "detail": statement.excluded.detail,
            "requeued_at": None,
            "addressed_at": None,  # it is to be seen to anew
            "addressed_by": None,
            "note": None,
        },
    )
    return int(connection.execute(statement.values(row).returning(_TABLE.c.id)).scalar_one())


def _too_many(connection: Connection, row: Mapping[str, Any]) -> bool:
    """Whether the letter would be one more of a reason that has enough."""
    if row["reason"] in _UNCAPPED:
        return False
    like_it = _TABLE.c.reason == row["reason"]
    query = select(func.count(), func.coalesce(func.sum(_TABLE.c.size), 0)).where(like_it)
    letters, size = connection.execute(query).one()
    if letters < MOST_LETTERS and size + row["size"] <= MOST_BYTES:
        return False
    known = select(_TABLE.c.id).where(_TABLE.c.digest == row["digest"])
    if connection.execute(known).first() is not None:
        return False
    log.error(
        "a dead letter is not kept: there are %d with the reason %s, of %d bytes; look at them with"
        " `linewatch dead-letters list`, then `linewatch dead-letters purge`",
        letters,
        row["reason"],
        size,
    )
    return True


def _in_ascii(value: Any) -> Any:
    r"""Text with `\u90e8` for what is not ASCII: JSON reads it as it was."""
    return in_ascii(value) if isinstance(value, str) else value


def newest(
    engine: Engine,
    *,
    limit: int = 100,
    requeued: bool | None = None,
    reason: str | None = None,
    unsettled: bool = False,
) -> list[Letter]:
    """Letters, newest first.

    Args:
        engine: of the database.
        limit: at most so many.
        requeued: only those that were, or were not, sent again.
        reason: only those with this reason code.
        unsettled: only those that nobody saw to, and those that were sent again and have pictures
            without a new verdict.
    """
    query = select(*_COLUMNS).order_by(_TABLE.c.received_at.desc(), _TABLE.c.id.desc()).limit(limit)
    if requeued is not None:
        sent = _TABLE.c.requeued_at.is_not(None)
        query = query.where(sent if requeued else ~sent)
    if reason is not None:
        query = query.where(_TABLE.c.reason == reason)
    if unsettled:
        seen_to = _TABLE.c.requeued_at.is_not(None) | _TABLE.c.addressed_at.is_not(None)
        awaited = select(_REQUEUES.c.letter_id)
        query = query.where(~seen_to | _TABLE.c.id.in_(awaited))
    with reading(engine) as connection:
        return [Letter(**row) for row in connection.execute(query).mappings()]


def get(engine: Engine, letter_id: int) -> Letter | None:
    """One letter, or None."""
    with reading(engine) as connection:
        query = select(*_COLUMNS).where(_TABLE.c.id == letter_id)
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else Letter(**row)


def sent_again(connection: Connection, letter: Letter) -> None:
    """Note that a letter is sent again, unless something happened to it since it was read.

    Raises:
        DeadLetterError: it was deleted, was sent again by somebody, or came anew.
    """
    c = _TABLE.c
    as_read = (c.id == letter.id) & c.requeued_at.is_not_distinct_from(letter.requeued_at)
    statement = update(_TABLE).where(as_read).values(requeued_at=database_now(connection))
    if connection.execute(statement).rowcount:
        return
    now = connection.execute(select(c.requeued_at).where(c.id == letter.id)).one_or_none()
    if now is None:
        happened = "was deleted"
    elif now.requeued_at is None:
        happened = "came again"
    else:
        happened = f"was sent again, at {now.requeued_at:%Y-%m-%d %H:%M:%S} UTC"
    raise DeadLetterError(
        f"letter {letter.id} {happened} meanwhile, so nothing was sent now; look at "
        "`linewatch dead-letters list` and `linewatch audit show`, then decide anew"
    )


def purge(connection: Connection, *, before: datetime, by: str) -> int:
    """Delete the letters received before `before`; returns how many."""
    statement = delete(_TABLE).where(_TABLE.c.received_at < before)
    count = connection.execute(statement).rowcount
    if count:
        detail = {"before": before.isoformat(), "letters": count}
        audit.append(connection, by, "dead_letter.purge", "dead_letters", detail)
    return count
