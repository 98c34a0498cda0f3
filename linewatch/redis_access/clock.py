"""The clock of Redis, which all machines of a plant have in common."""

from __future__ import annotations

from typing import Any


def redis_now(client: Any) -> float:
    """Redis's time, in seconds since 1970.

    Args:
        client: a client of redis-py, or of what stands for it.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    seconds, microseconds = client.time()
    return float(seconds + microseconds / 1e6)
