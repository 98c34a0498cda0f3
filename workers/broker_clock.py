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
from contextlib import contextmanager
from typing import Any

import redis
from kombu.transport import redis as kombu_redis

from workers import handback
from workers.taking import UNREADABLE
from workers.unreadable import bury

_TOLERATED_S = 0.5


class QoS(kombu_redis.QoS):  # type: ignore[misc]
    """kombu's bookkeeping of what is taken and not acknowledged, on Redis's clock."""

    _ahead_s: float | None = None  # this worker's clock against Redis's

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.noted: set[str] = set()  # delivery tags that Redis noted when it gave the messages

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

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """The message goes back, or away; if Redis does not hear it, back."""
        with self._let_go_if_it_fails(delivery_tag):
            super().reject(delivery_tag, requeue)

    def held(self) -> list[str]:
        """The delivery tags of the messages in this channel's hands."""
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
        """Give back what is in hand: the worker lives, and closes the channel."""
        for delivery_tag in self.held():
            handback.note(delivery_tag)
        return super().restore_unacked(*args, **options)

    def restore_visible(self, *args: Any, **options: Any) -> None:
        """Give back what its worker has not renewed in time."""
        self._measure()  # every few seconds: a clock that jumped is found out soon
        super().restore_visible(*args, **options)

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Put a held message back into its queue; bury it if it is none."""
        try:
            super().restore_by_tag(tag, client, leftmost)
        except (redis.RedisError, OSError):
            raise
        except Exception as error:  # whatever JSON and kombu's decoder make of it
            with self.channel.conn_or_acquire(client) as client:
                entry = client.hget(self.unacked_key, tag)
            if entry is not None:
                self.bury(tag, entry.removeprefix(UNREADABLE), f"no message of Celery: {error}")

    def bury(self, tag: Any, item: bytes, problem: str) -> None:
        """Keep a held entry as a dead letter, and hold it no more. Else it comes back later."""
        try:
            text = item.decode()
        except UnicodeDecodeError:
            text = repr(item)
        if bury(text, problem):
            self.forget(tag)

    def forget(self, tag: Any) -> None:
        """Hold an entry no more."""
        self._remove_from_indices(tag).execute()

    def _measure(self) -> None:
        with self.channel.conn_or_acquire() as client:
            self._ahead_s = time.time() - redis_now(client)


def redis_now(client: Any) -> float:
    """Redis's time, in seconds since 1970."""
    seconds, microseconds = client.time()
    return float(seconds + microseconds / 1e6)
