"""Holding a message is a lease, renewed while the worker lives.

Redis has no consumer that can die: kombu gives a message back to the queue when it was taken
longer than the visibility timeout ago. One timeout for all is either too long (a killed worker's
pictures wait for it) or too short (a slow batch is done twice). So a worker says every few
seconds that it still holds its messages, and the timeout can be short.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence, Set
from threading import Event
from typing import Any

import redis
from celery.signals import task_postrun, task_prerun

from linewatch.redis_access.client import redis_client
from linewatch.redis_access.clock import redis_now
from linewatch.settings import Settings
from workers.broker.deliveries import deliveries
from workers.broker.quarantine import held_key, quarantine
from workers.health.periodic_thread import PeriodicThread

log = logging.getLogger(__name__)


class LeaseKeeper:
    """A thread that renews the leases of the messages held.

    Args:
        client: Redis.
        index_key: kombu's sorted set of unacknowledged deliveries, scored by the time taken.
        held: the delivery tags of the connection's messages that this worker holds right now.
        worked_on: the delivery tags, of any connection, that its tasks are at.
        period_s: how often to renew, in seconds.
        stuck: the delivery tags of messages that should have become tasks and did not.
        let_go: is given each of those once; it is renewed no more.
    """

    def __init__(
        self,
        client: redis.Redis,
        index_key: str,
        held: Callable[[], Sequence[str]],
        worked_on: Callable[[], Set[str]],
        period_s: float,
        stuck: Callable[[], Sequence[str]] = tuple,
        let_go: Callable[[str], None] = lambda _tag: None,
    ) -> None:
        self._client = client
        self._index_key = index_key
        self._held = held
        self._worked_on = worked_on
        self._stuck = stuck
        self._let_go = let_go
        self._retired = Event()
        self._thread = PeriodicThread(
            "leases",
            self.renew,
            period_s,
            failed="leases not renewed",
            expected=(redis.RedisError, RuntimeError),
        )

    @classmethod
    def for_channel(cls, channel: Any, settings: Settings) -> LeaseKeeper:
        """A keeper for the deliveries of a kombu Redis channel."""
        client = redis_client(settings, socket_timeout=5)
        after_s = settings.task_begin_timeout_s

        def let_go(tag: str) -> None:
            log.error(
                "a message (delivery %s) became no task within %.0f s: it goes back", tag, after_s
            )
            channel.qos.give_up(tag)
            entry: Any = client.hget(channel.unacked_key, tag)
            key = None if entry is None else held_key(entry)
            if key is not None:
                quarantine.convict(tag, key)

        return cls(
            client,
            channel.unacked_index_key,
            channel.qos.held,
            delivery_tags_of_tasks,
            settings.lease_renewal_s,
            lambda: deliveries.stuck(after_s),
            let_go,
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
        self._thread.stop(wait_s=0)

    def renew(self) -> int:
        """Renew every lease held; returns how many. Those already given back stay given back."""
        held = self._held()
        stuck = set(self._stuck()).intersection(held)
        tags = [tag for tag in held if tag not in stuck]
        if self._retired.is_set():
            worked_on = self._worked_on()
            for tag in set(tags) - worked_on:
                deliveries.settled(tag)  # on that connection it becomes no task any more
            tags = [tag for tag in tags if tag in worked_on]
            if not tags:
                self.stop()
        if tags:
            now = redis_now(self._client)  # not ours, which may be wrong
            self._client.zadd(self._index_key, dict.fromkeys(tags, now), xx=True)
        for tag in stuck:
            self._let_go(tag)
        return len(tags)


def delivery_tags_of_tasks() -> set[str]:
    """The messages that have become tasks of this worker and are not finished."""
    from workers.broker.worker_state import state

    return {request.message.delivery_tag for request in list(state.requests.values())}


def note_tasks() -> None:
    """Have Celery tell of each task that begins and ends; harmless to repeat."""
    task_prerun.connect(_begun, dispatch_uid="linewatch-begun")
    task_postrun.connect(_ended, dispatch_uid="linewatch-ended")


def _begun(task: Any, **_: Any) -> None:
    tag = _tag(task)
    deliveries.begun(tag)
    quarantine.clear(tag)


def _ended(task: Any, **_: Any) -> None:
    deliveries.ended(_tag(task))


def _tag(task: Any) -> str:
    return str((task.request.properties or {}).get("delivery_tag"))
