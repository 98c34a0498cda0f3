"""Tells a message that a living worker gave back from one whose worker died with it.

kombu says of both that they are redelivered. But pictures come under suspicion for a death, and a
worker that stops is none: else each restart of the workers would bring the pictures that they had
in hand one death nearer to being called deadly.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

from workers.broker.deliveries import deliveries

HEADER = "linewatch_handed_back"  # of a message that is redelivered; false: its worker died


class Delivery(Enum):
    """How a message came to this worker."""

    FIRST = auto()
    HANDED_BACK = auto()  # by a worker that stopped
    AFTER_DEATH = auto()  # of the worker that had it, as far as anyone knows

    @classmethod
    def of(cls, request: Any) -> Delivery:
        """Of a Celery task's request."""
        if not (request.delivery_info or {}).get("redelivered"):
            return cls.FIRST
        return cls.HANDED_BACK if request.get(HEADER) is True else cls.AFTER_DEATH


def note(delivery_tag: str) -> None:
    """This worker lives, and gives this message back."""
    deliveries.hand_back(delivery_tag)


def note_task(request: Any) -> None:
    """This worker lives, and gives the message of this task back."""
    tag = (request.properties or {}).get("delivery_tag")
    if tag is not None:
        note(tag)


def mark(payload: dict[str, Any]) -> None:
    """Say in a message that is put back into its queue whether its worker lives."""
    headers, properties = payload.get("headers"), payload.get("properties")
    if isinstance(headers, dict) and isinstance(properties, dict):
        headers[HEADER] = deliveries.handed_back(properties.get("delivery_tag"))
