"""The one place where a worker buries a message: it keeps it, as a dead letter, for a person."""

from __future__ import annotations

import json
import logging
from uuid import UUID

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from producer.contract import Reason

log = logging.getLogger(__name__)

MAX_PAYLOAD = 2_000_000  # bytes kept of a message, of any that may pass all of it
MAX_LOGGED = 10_000  # characters of it in the log, where the database does not have it


def keep(
    engine: Engine,
    message: object,
    *,
    reason: Reason,
    detail: str,
    task_id: str | None,
    image_id: UUID | None = None,
) -> None:
    """Keep a message, or a part of one that asks for one picture.

    Args:
        engine: the database.
        message: what it said, as it came from JSON; or the text or bytes of it. What is not UTF-8
            is kept as escapes.
        reason: the letter's.
        detail: why, for a person.
        task_id: the id it goes by.
        image_id: the picture that it is about; None: the whole message.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: it is not kept, and must not be acknowledged.
    """
    from db.inspections import dead_letters  # not before a message is buried: beat loads no SQL
    from db.session import transaction

    with transaction(engine) as connection:
        dead_letters.add(
            connection,
            reason=reason,
            detail=detail,
            payload=_text(message),
            task_id=task_id,
            image_id=image_id,
        )


def bury(
    entry: bytes,
    detail: str,
    task_id: str | None = None,
    reason: Reason = Reason.UNREADABLE_MESSAGE,
) -> bool:
    """Keep a queue's entry that no task will see. The log has it where the database does not.

    Args:
        entry: as it lay in the queue.
        detail: why.
        task_id: the id it names.
        reason: the letter's.

    Returns:
        Whether the database has it.
    """
    from db.session import default_engine

    what = "cannot be read" if reason is Reason.UNREADABLE_MESSAGE else "is put away"
    log.error("a message %s (%s); kept as a dead letter", what, detail)
    try:
        keep(default_engine(), entry, reason=reason, detail=detail, task_id=task_id)
    except SQLAlchemyError as error:
        log.critical("dead letter not stored (%s): %s", error, _text(entry)[:MAX_LOGGED])
        return False
    return True


def _text(message: object) -> str:
    if isinstance(message, bytes):
        return message[:MAX_PAYLOAD].decode(errors="backslashreplace")
    return message if isinstance(message, str) else json.dumps(message, default=repr)
