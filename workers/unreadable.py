"""Messages that never reach a task: not JSON, no envelope, an unknown task, a forbidden encoding.

Celery logs and acknowledges these, which on Redis means that they are gone. Here each is first kept
as a dead letter, whole, so that a person can see what a producer got wrong.
"""

from __future__ import annotations

import json
import logging
from typing import Any

from celery import bootsteps
from sqlalchemy.exc import SQLAlchemyError

from producer.contract import Reason
from workers.envelope import body_problem

log = logging.getLogger(__name__)

MAX_PAYLOAD = 1_000_000  # characters kept of a message


def bury(payload: str, detail: str, task_id: str | None = None) -> bool:
    """Keep a message that no task will see. The log has it where the database does not.

    Returns:
        Whether the database has it.
    """
    from db import dead_letters
    from db.session import default_engine

    log.error("a message cannot be read (%s); kept as a dead letter", detail)
    try:
        dead_letters.add(
            default_engine(),
            reason=Reason.UNREADABLE_MESSAGE,
            detail=detail,
            payload=payload[:MAX_PAYLOAD],
            task_id=task_id,
        )
    except SQLAlchemyError as error:
        log.critical("dead letter not stored (%s): %s", error, payload[:MAX_PAYLOAD])
        return False
    return True


class BuryStep(bootsteps.Step):  # type: ignore[misc]
    """Keeps what Celery's consumer is about to throw away."""

    def __init__(self, consumer: Any, **_: Any) -> None:
        for name in ("on_decode_error", "on_unknown_message", "on_unknown_task", "on_invalid_task"):
            setattr(consumer, name, _burying(name, getattr(consumer, name)))
        consumer.create_task_handler = _checking(consumer, consumer.create_task_handler)


def _checking(consumer: Any, create_task_handler: Any) -> Any:
    """Look at each body before Celery does; kombu decodes it once, for both."""

    def create() -> Any:
        handle = create_task_handler()

        def on_task_received(message: Any) -> Any:
            try:
                problem = body_problem(message.payload)
            except Exception as error:  # whatever the decoders of kombu raise
                return consumer.on_decode_error(message, error)
            if problem is None:
                return handle(message)
            return consumer.on_decode_error(message, ValueError(problem))

        return on_task_received

    return create


def _burying(name: str, discard: Any) -> Any:
    def bury_then_discard(*args: Any) -> Any:
        # (message, exc), (body, message) or (body, message, exc)
        message = args[0] if name == "on_decode_error" else args[1]
        error = args[-1] if isinstance(args[-1], Exception) else "not a Celery task"
        headers = message.headers if isinstance(message.headers, dict) else {}
        raw = getattr(message, "_raw", None) or {"headers": headers, "body": repr(message.body)}
        task_id = headers.get("id")
        bury(
            json.dumps(raw, default=repr),
            f"{name.removeprefix('on_').replace('_', ' ')}: {error}",
            task_id if isinstance(task_id, str) else None,
        )
        return discard(*args)

    return bury_then_discard
