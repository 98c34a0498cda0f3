"""Messages that a worker lets go again as they come, for another one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

PARK_S = 5.0  # until a message that cannot be judged here is in the queue again
PARK_APART_S = 0.02  # so that thousands of them do not keep this worker busy


def park(consumer: Any, unserved: Callable[[Any], bool]) -> None:
    """Have Celery's consumer park the messages of which `unserved` is true, unseen by its tasks.

    Called once for a consumer, however often it connects.
    """
    consumer.create_task_handler = _parking(consumer.create_task_handler, unserved)


def _parking(create_task_handler: Any, unserved: Callable[[Any], bool]) -> Any:
    def create() -> Any:
        handle = create_task_handler()

        def on_task_received(message: Any) -> Any:
            if unserved(message):
                return message.channel.qos.park(message.delivery_tag, PARK_S, PARK_APART_S)
            return handle(message)

        return on_task_received

    return create
