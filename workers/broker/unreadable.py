"""Messages that never reach a task: not JSON, no envelope, an unknown task, a forbidden encoding.

Celery logs and acknowledges these, which on Redis means that they are gone. Here each is first kept
as a dead letter, whole, so that a person can see what a producer got wrong.
"""

from __future__ import annotations

import json
from typing import Any

from celery import bootsteps

from workers.broker.dead_letter import bury


class BuryStep(bootsteps.Step):  # type: ignore[misc]
    """Keeps what Celery's consumer is about to throw away."""

    def __init__(self, consumer: Any, **_: Any) -> None:
        for name in ("on_decode_error", "on_unknown_message", "on_unknown_task", "on_invalid_task"):
            setattr(consumer, name, _burying(name, getattr(consumer, name)))


def _burying(name: str, discard: Any) -> Any:
    def bury_then_discard(*args: Any) -> Any:
        # (message, exc), (body, message) or (body, message, exc)
        message = args[0] if name == "on_decode_error" else args[1]
        error = args[-1] if isinstance(args[-1], Exception) else "not a Celery task"
        headers = message.headers if isinstance(message.headers, dict) else {}
        raw = getattr(message, "_raw", None) or {"headers": headers, "body": repr(message.body)}
        task_id = headers.get("id")
        bury(
            json.dumps(raw, default=repr).encode(),
            f"{name.removeprefix('on_').replace('_', ' ')}: {error}",
            task_id if isinstance(task_id, str) else None,
        )
        return discard(*args)

    return bury_then_discard
