"""Holding a message is a lease, renewed while the worker lives.

Redis has no consumer that can die: kombu gives a message back to the queue when it was taken
longer than the visibility timeout ago. One timeout for all is either too long (a killed worker's
pictures wait for it) or too short (a slow batch is done twice). So a worker says every few
seconds that it still holds its messages, and the timeout can be short.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence, Set
from threading import Event, Thread
from typing import Any

import redis

from linewatch.settings import Settings
from workers.broker_clock import redis_now

log = logging.getLogger(__name__)


class LeaseKeeper:
    """A thread that renews the leases of the messages held.

    Args:
        client: Redis.
        index_key: kombu's sorted set of unacknowledged deliveries, scored by the time taken.
        held: the delivery tags of the connection's messages that this worker holds right now.
        worked_on: the delivery tags, of any connection, that its tasks are at.
        period_s: how often to renew, in seconds.
    """

    def __init__(
        self,
        client: redis.Redis,
        index_key: str,
        held: Callable[[], Sequence[str]],
        worked_on: Callable[[], Set[str]],
        period_s: float,
    ) -> None:
        self._client = client
        self._index_key = index_key
        self._held = held
        self._worked_on = worked_on
        self._period_s = period_s
        self._stop = Event()
        self._retired = Event()
        self._thread = Thread(target=self._run, name="leases", daemon=True)

    @classmethod
    def for_channel(cls, channel: Any, settings: Settings) -> LeaseKeeper:
        """A keeper for the deliveries of a kombu Redis channel."""
        client = redis.Redis.from_url(settings.redis_client_url, socket_timeout=5)
        return cls(
            client,
            channel.unacked_index_key,
            channel.qos.held,
            delivery_tags_of_tasks,
            settings.lease_renewal_s,
        )

    def start(self) -> None:
        """Begin to renew."""
        self._thread.start()

    def retire(self) -> None:
        """The connection is closed: renew only what tasks are still at, and end when none is.

        What was taken and never became a task, because the connection broke, must come back.
        """
        self._retired.set()

    def stop(self) -> None:
        """Renew no more; what is still held is redelivered after the visibility timeout."""
        self._stop.set()

    def renew(self) -> int:
        """Renew every lease held; returns how many. Those already given back stay given back."""
        tags = self._held()
        if self._retired.is_set():
            worked_on = self._worked_on()
            tags = [tag for tag in tags if tag in worked_on]
            if not tags:
                self.stop()
        if tags:
            now = redis_now(self._client)  # not ours, which may be wrong
            self._client.zadd(self._index_key, dict.fromkeys(tags, now), xx=True)
        return len(tags)

    def _run(self) -> None:
        while not self._stop.wait(self._period_s):
            try:
                self.renew()
            except (redis.RedisError, RuntimeError) as error:
                log.warning("leases not renewed: %s", error)


def delivery_tags_of_tasks() -> set[str]:
    """The messages that have become tasks of this worker and are not finished."""
    from celery.worker import state

    return {request.message.delivery_tag for request in list(state.requests.values())}
