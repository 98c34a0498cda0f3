"""How full the queue is: how many messages wait, and since when the oldest one does.

Depth alone hides a queue that stands still; age alone hides one that is about to.
"""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from producer.contract import QUEUE

if TYPE_CHECKING:
    import redis


@dataclass(frozen=True, slots=True)
class QueueState:
    """Messages that wait, and the age of the oldest in seconds; None where it does not say."""

    depth: int
    oldest_age_s: float | None = None


def queue_state(client: redis.Redis, now: datetime | None = None, queue: str = QUEUE) -> QueueState:
    """Look at a queue, in one round trip: the inspect queue, unless another is named.

    A user who may not LINDEX the queue gets no age.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    import redis

    with client.pipeline(transaction=False) as pipe:
        pipe.llen(queue)
        pipe.lindex(queue, -1)
        depth, oldest = pipe.execute(raise_on_error=False)
    if isinstance(depth, Exception):
        raise depth
    if isinstance(oldest, Exception):
        if not isinstance(oldest, redis.exceptions.NoPermissionError):
            raise oldest
        oldest = None
    enqueued_at = enqueued(oldest)
    if enqueued_at is None:
        return QueueState(int(depth))
    age_s = ((now or datetime.now(UTC)) - enqueued_at).total_seconds()
    return QueueState(int(depth), max(0.0, age_s))


def enqueued(message: bytes | str | None) -> datetime | None:
    """When a queued message was sent, by its own words; None if it has none that make sense."""
    if message is None:
        return None
    try:
        arguments = json.loads(base64.b64decode(json.loads(message)["body"], validate=True))[0]
        at = datetime.fromisoformat(arguments[0]["enqueued_at"])
        return at.astimezone(UTC) if at.utcoffset() is not None else None
    # Anybody can push anything: whatever is wrong with it, it has no time.
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
        return None
