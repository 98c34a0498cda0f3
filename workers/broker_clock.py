"""Leases are timed by Redis's clock: the clocks of workers differ, and jump.

kombu notes by the worker's own clock when a message was taken, and gives back what was taken
longer ago than the visibility timeout. A worker whose clock is two hours ahead would take all that
others hold for abandoned; what it held itself when it died would come back two hours late.
"""

from __future__ import annotations

import time
from typing import Any

from kombu.transport import redis as kombu_redis

_TOLERATED_S = 0.5


class QoS(kombu_redis.QoS):  # type: ignore[misc]
    """kombu's bookkeeping of what is taken and not acknowledged, on Redis's clock."""

    _ahead_s: float | None = None  # this worker's clock against Redis's

    @property
    def visibility_timeout(self) -> float:
        """Seconds before this worker's now at which a message counts as abandoned."""
        return float(self.channel.visibility_timeout + (self._ahead_s or 0.0))

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note that a message was taken."""
        super().append(message, delivery_tag)
        if self._ahead_s is None:
            self._measure()
        assert self._ahead_s is not None
        if abs(self._ahead_s) > _TOLERATED_S:
            with self.channel.conn_or_acquire() as client:
                taken_at = {delivery_tag: redis_now(client)}
                client.zadd(self.unacked_index_key, taken_at, xx=True)

    def restore_visible(self, *args: Any, **options: Any) -> None:
        """Give back what its worker has not renewed in time."""
        self._measure()  # every few seconds: a clock that jumped is found out soon
        super().restore_visible(*args, **options)

    def _measure(self) -> None:
        with self.channel.conn_or_acquire() as client:
            self._ahead_s = time.time() - redis_now(client)


def redis_now(client: Any) -> float:
    """Redis's time, in seconds since 1970."""
    seconds, microseconds = client.time()
    return float(seconds + microseconds / 1e6)
