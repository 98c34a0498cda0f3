"""Leases are timed by Redis's clock: the clocks of workers differ, and jump.

kombu notes by the worker's own clock when a message was taken, and gives back what was taken
longer ago than the visibility timeout. A worker whose clock is two hours ahead would take all that
others hold for abandoned; what it held itself when it died would come back two hours late.

And only what is worked on is held. A message whose taking or acknowledging broke off with the
connection is nobody's: it must come back, and must not fill this worker's hands for good.

What can be read by nobody is held too, until it is buried.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from kombu.transport import redis as kombu_redis
from redis.exceptions import OutOfMemoryError

from linewatch.redis_access.clock import redis_now
from producer.contract import Reason
from producer.contract.strict_json import MAX_DEPTH
from workers.broker import redelivery
from workers.broker.arrivals import Arrivals
from workers.broker.dead_letter import bury
from workers.broker.deliveries import deliveries
from workers.broker.envelope import RefusedError, admit_read, check_size, read
from workers.broker.fetch import AROUND, UNREADABLE
from workers.broker.quarantine import quarantine
from workers.config import TASKS

_TOLERATED_S = 0.5


class QoS(kombu_redis.QoS):  # type: ignore[misc]
    """kombu's bookkeeping of what is taken and not acknowledged, on Redis's clock."""

    _ahead_s: float | None = None  # this worker's clock against Redis's

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._returns_at = 0.0  # the last parked message, on Redis's clock
        self.noted: set[str] = set()  # delivery tags that Redis noted when it gave the messages
        self.arrivals = Arrivals(self.held_by_celery, quarantine)

    @property
    def visibility_timeout(self) -> float:
        """Seconds before this worker's now at which a message counts as abandoned."""
        return float(self.channel.visibility_timeout + (self._ahead_s or 0.0))

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note that a message was taken."""
        if delivery_tag in self.noted:
            self.noted.discard(delivery_tag)
            super(kombu_redis.QoS, self).append(message, delivery_tag)  # in this process alone
            return
        with self._let_go_if_it_fails(delivery_tag):  # then nobody is given the message
            super().append(message, delivery_tag)
            if self._ahead_s is None:
                self._measure()
            assert self._ahead_s is not None
            if abs(self._ahead_s) > _TOLERATED_S:
                with self.channel.conn_or_acquire() as client:
                    taken_at = {delivery_tag: redis_now(client)}
                    client.zadd(self.unacked_index_key, taken_at, xx=True)

    def ack(self, delivery_tag: str) -> None:
        """The message is done with. Where Redis does not hear it, it is delivered again."""
        with self._let_go_if_it_fails(delivery_tag):
            super().ack(delivery_tag)
            settled(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """The message goes back, or away; if Redis does not hear it, back.

        A full Redis puts nothing into a queue. That is no reason for Celery to end this worker: the
        message comes back when its lease is over.
        """
        with suppress(OutOfMemoryError), self._let_go_if_it_fails(delivery_tag):
            super().reject(delivery_tag, requeue)
            settled(delivery_tag)

    def park(self, delivery_tag: str, pause_s: float, apart_s: float) -> None:
        """Hold a message no more; after a pause it is back in its queue, for any worker.

        It lies where held messages lie, as if its worker had gone silent a while ago, so it takes
        nobody's place meanwhile. Of many, one comes back each `apart_s`, however many there are.
        """
        with self._let_go_if_it_fails(delivery_tag):
            with self.channel.conn_or_acquire() as client:
                now = redis_now(client)
                self._returns_at = max(now + pause_s, self._returns_at + apart_s)
                taken_at = self._returns_at - self.channel.visibility_timeout
                client.zadd(self.unacked_index_key, {delivery_tag: taken_at}, xx=True)
            super(kombu_redis.QoS, self).ack(delivery_tag)  # in this process alone
            settled(delivery_tag)

    def give_up(self, delivery_tag: str) -> None:
        """Hold a message no more that never became a task: it comes back after a while."""
        self.let_go(delivery_tag)
        deliveries.let_go(delivery_tag)

    def can_consume(self) -> bool:
        """Whether more may be taken: not while a message is to be alone."""
        return not self.arrivals.closed and bool(super().can_consume())

    def held(self) -> list[str]:
        """The delivery tags of the messages in this channel's hands."""
        return [*self.held_by_celery(), *self.arrivals.tags()]

    def held_by_celery(self) -> list[str]:
        """Without those that Celery has not been given yet."""
        done = self._dirty  # let go of, and not yet forgotten
        return [tag for tag in list(self._delivered) if tag not in done]

    @contextmanager
    def _let_go_if_it_fails(self, delivery_tag: str) -> Iterator[None]:
        try:
            yield
        except BaseException:
            self._dirty.add(delivery_tag)
            raise

    def restore_unacked(self, *args: Any, **options: Any) -> Any:
        """Give back what is in hand: the worker lives, and closes the channel.

        What broke it, or was held for nothing, is given back as if the worker had died.
        """
        for delivery_tag in self.held():
            if deliveries.blameless(delivery_tag):
                quarantine.clear(delivery_tag)
                redelivery.note(delivery_tag)
            deliveries.settled(delivery_tag)
        for delivery_tag in self.arrivals.clear():
            self.restore_by_tag(delivery_tag)
        return super().restore_unacked(*args, **options)

    def restore_visible(self, *args: Any, **options: Any) -> None:
        """Give back what its worker has not renewed in time; while Redis is full, later."""
        self._measure()  # every few seconds: a clock that jumped is found out soon
        with suppress(OutOfMemoryError):
            super().restore_visible(*args, **options)

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Put a held message back into its queue, made anew as it was taken; bury it if it is none.

        kombu would read it with a decoder that revives objects, and put back all of it.
        """

        def restore(pipe: Any) -> None:
            entry = pipe.hget(self.unacked_key, tag)
            held = None if entry is None else _held(entry)
            pipe.multi()
            self._remove_from_indices(tag, pipe)
            if held is not None:
                self.channel._do_restore_message(*held, pipe, leftmost)

        with self.channel.conn_or_acquire(client) as client:
            try:
                client.transaction(restore, self.unacked_key)
            except RefusedError as refused:
                entry = client.hget(self.unacked_key, tag)
                if entry is not None:
                    item = entry.removeprefix(UNREADABLE)
                    self.bury(tag, item, str(refused), refused.task_id)

    def bury(
        self,
        tag: Any,
        item: bytes,
        problem: str,
        task_id: str | None = None,
        *,
        reason: Reason = Reason.UNREADABLE_MESSAGE,
    ) -> bool:
        """Keep a held entry as a dead letter, and hold it no more. Else it comes back later.

        Returns:
            Whether it was kept.
        """
        kept = bury(item, problem, task_id, reason)
        if kept:
            self.forget(tag)
        return kept

    def let_go(self, delivery_tag: str) -> None:
        """Have an entry in these hands no more; Redis still has it as held."""
        self.noted.discard(delivery_tag)
        self._dirty.add(delivery_tag)

    def forget(self, tag: Any) -> None:
        """Hold an entry no more."""
        self._remove_from_indices(tag).execute()
        settled(tag if isinstance(tag, str) else tag.decode(errors="replace"))

    def _remove_from_indices(self, delivery_tag: Any, pipe: Any = None) -> Any:
        """Both notes of a held message go; by themselves without MULTI.

        In it a full Redis takes no command, not even one that makes room, and Celery ends a worker
        whose acknowledgement is refused. The message goes first: of a tag without a message whoever
        sweeps makes nothing but an end.
        """
        if pipe is not None:
            return super()._remove_from_indices(delivery_tag, pipe)
        with self.channel.conn_or_acquire() as client:
            both = client.pipeline(transaction=False).hdel(self.unacked_key, delivery_tag)
            return both.zrem(self.unacked_index_key, delivery_tag)

    def _measure(self) -> None:
        with self.channel.conn_or_acquire() as client:
            self._ahead_s = time.time() - redis_now(client)


def settled(delivery_tag: str) -> None:
    """Nothing is to be expected or suspected of this message any more."""
    deliveries.settled(delivery_tag)
    quarantine.clear(delivery_tag)


def limit() -> int:
    """The largest body this worker opens, in bytes."""
    from linewatch.settings import get_settings

    return get_settings().max_message_bytes


def _held(entry: bytes) -> tuple[dict[str, Any], str, str]:
    """The message, exchange and routing key of a held entry.

    What another application holds in the same Redis is put back as it is.

    Raises:
        RefusedError: it is none, or no message of its queue.
    """
    if entry.startswith(UNREADABLE):
        raise RefusedError("the envelope is not JSON that Redis can read, or names no delivery tag")
    check_size(entry, limit() + AROUND)
    held = read(entry, MAX_DEPTH + 1)
    if not isinstance(held, list) or len(held) != 3 or not isinstance(held[0], dict):
        raise RefusedError("it is not held as a message, its exchange and its queue")
    message, exchange, queue = held
    if not isinstance(queue, str) or queue not in TASKS:
        return message, exchange, queue
    size = len(entry) - AROUND - len(queue)
    return admit_read(message, queue, TASKS[queue], limit(), size=size).envelope, "", queue
