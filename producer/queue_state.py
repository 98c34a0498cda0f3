"""How full the queue is: how many messages wait, and since when the oldest one does.

Depth alone hides a queue that stands still; age alone hides one that is about to. Ages are by the
clock of Redis, as senders write it: a PC whose own clock is ahead would take all messages for old.
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from producer.clock_skew import ClockSkew
from producer.contract import QUEUE

if TYPE_CHECKING:
    import redis


@dataclass(frozen=True, slots=True)
class QueueState:
    """Messages that wait, and the age of the oldest in seconds; None where it does not say.

    `skew` is how far the clock of Redis is ahead of this PC's; None where it does not say.
    """

    depth: int
    oldest_age_s: float | None = None
    skew: ClockSkew | None = None


def queue_state(client: redis.Redis, queue: str = QUEUE) -> QueueState:
    """Look at a queue, in one round trip: the inspect queue, unless another is named.

    A user who may not LINDEX the queue gets no age; one who may not ask for the TIME gets no skew,
    and an age by this PC's clock.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    with client.pipeline(transaction=False) as pipe:
        pipe.llen(queue)
        pipe.lindex(queue, -1)
        pipe.time()
        asked_s, began_s = time.time(), time.monotonic()
        depth, oldest, there = pipe.execute(raise_on_error=False)
        took_s = time.monotonic() - began_s
    if isinstance(depth, Exception):
        raise depth
    moment = _allowed(there)
    skew = None if moment is None else ClockSkew.between(asked_s, took_s, _seconds(moment))
    enqueued_at = enqueued(_allowed(oldest))
    if enqueued_at is None:
        return QueueState(int(depth), skew=skew)
    now_s = time.time() if moment is None else _seconds(moment)
    return QueueState(int(depth), max(0.0, now_s - enqueued_at.timestamp()), skew)


def _allowed(answer: Any) -> Any:
    """An answer of a pipeline; None where this user may not ask."""
    import redis

    if isinstance(answer, redis.exceptions.NoPermissionError):
        return None
    if isinstance(answer, Exception):
        raise answer
    return answer


def _seconds(moment: tuple[int, int]) -> float:
    return moment[0] + moment[1] / 1e6


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
