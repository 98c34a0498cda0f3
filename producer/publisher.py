"""The producer's whole traffic with Redis: publish, depth, receipts. `docs/protocol.md` lists it.

kombu and redis are imported when the publisher is made, which happens in the sender's thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import ValidationError

from linewatch.errors import QueueUnavailableError
from linewatch.settings import Settings
from producer.clock_skew import CLOCKS, ClockSkew, noted
from producer.contract import QUEUE, Receipt, receipts_key
from producer.messages import TaskMessage
from producer.queue_state import QueueState, queue_state

if TYPE_CHECKING:
    import redis

log = logging.getLogger(__name__)

_SOCKET_TIMEOUT_S = 5.0
_SKEW_ERROR_S = 0.5
_NOWHERE = (
    "LINEWATCH_REDIS_URL says no Redis, and none of this machine's own listens at {}: set it to "
    "redis://HOST:6379/0, or start one here with `linewatch up`"
)
_NOT_OURS = (
    ". The user in LINEWATCH_REDIS_URL may not do what cameras on {0} do: it takes one that was "
    "made for this PC (`linewatch init FOLDER --producer {0}`, or `linewatch redis-acl`)"
)
_Answer = TypeVar("_Answer")


class Publisher:
    """Talks to the broker for one producer; for use by one thread. Connects when first used.

    Every method raises QueueUnavailableError when Redis is away, full or refuses; making one raises
    ImportError where a package is missing.
    """

    def __init__(self, settings: Settings, producer_id: str) -> None:
        try:
            import_module("redis")  # first: kombu goes on without it, and then lacks it for ever
            import kombu
            import redis
            from kombu.exceptions import KombuError

            from linewatch.redis_access.client import redis_client

            self._connection = kombu.Connection(
                settings.broker_url,
                transport_options={
                    "socket_timeout": _SOCKET_TIMEOUT_S,
                    "socket_connect_timeout": _SOCKET_TIMEOUT_S,
                    "global_keyprefix": settings.redis_key_prefix,
                    "max_retries": 0,  # the sender tries again, and looks for receipts meanwhile
                },
            )
            # Imported now: what it lacks is a fault, and no Redis that is away.
            self._connection.get_transport_cls()
        except ImportError:
            raise
        except Exception as error:  # half a package, or a library of the system that is gone
            raise ImportError(f"{type(error).__name__}: {error}") from error

        self._producer_id = producer_id
        self._key = receipts_key(producer_id)
        self._errors = (redis.RedisError, KombuError, OSError)
        self._redis: redis.Redis = redis_client(
            settings,
            socket_timeout=_SOCKET_TIMEOUT_S,
            socket_connect_timeout=_SOCKET_TIMEOUT_S,
        )
        self._producer: Any = None
        self._private = None if settings.redis_url else settings.private_redis_socket

    def publish(self, tasks: Sequence[TaskMessage]) -> None:
        """Hand tasks over in one round trip. When it returns, Redis has confirmed each."""
        self._ask(lambda: self._publish(tasks))

    def queue(self) -> QueueState:
        """How many messages wait in the inspect queue, and for how long the oldest has.

        Asked once more where the answer took so long that it tells little of the clocks, as the
        first does, which connects: messages would say that they were sent at another time.
        """
        state = self._ask(lambda: queue_state(self._redis))
        if state.skew is None or state.skew.error_s <= _SKEW_ERROR_S:
            return state
        return self._ask(lambda: queue_state(self._redis))

    def note_clock(self, skew: ClockSkew, line: str, camera: str) -> None:
        """Note how far this PC's clock is off, for whoever runs `linewatch doctor`.

        A user who may not is not noted.
        """
        import redis

        def note() -> None:
            with suppress(redis.exceptions.NoPermissionError):
                self._redis.hset(CLOCKS, self._producer_id, noted(skew, line, camera))

        self._ask(note)

    def receipts(self, limit: int) -> tuple[int, list[Receipt]]:
        """The oldest receipts, and how many list entries they are; they stay on the list."""
        lines = self._ask(lambda: self._redis.lrange(self._key, 0, limit - 1))
        return len(lines), [r for r in map(_read, lines) if r is not None]

    def forget_receipts(self, count: int) -> None:
        """Remove the oldest `count` entries, once the spool has them."""
        self._ask(lambda: self._redis.ltrim(self._key, count, -1))

    def close(self) -> None:
        """Close the connections."""
        self._redis.close()
        self._disconnect()

    def _publish(self, tasks: Sequence[TaskMessage]) -> None:
        import kombu

        if self._producer is None:
            self._connection.ensure_connection(max_retries=1, timeout=_SOCKET_TIMEOUT_S)
            self._producer = kombu.Producer(self._connection.default_channel, serializer="json")
        try:
            with self._producer.batch(max_size=len(tasks)):
                for task in tasks:
                    self._producer.publish(
                        task.body,
                        exchange="",
                        routing_key=QUEUE,
                        headers=task.headers,
                        correlation_id=task.id,
                        reply_to="",
                    )
        except BaseException:
            self._disconnect()
            raise

    def _disconnect(self) -> None:
        self._producer = None
        self._connection.close()

    def _ask(self, question: Callable[[], _Answer]) -> _Answer:
        try:
            return question()
        except self._errors as error:
            import redis

            cause = error.__cause__ or error
            if self._private is not None and not self._private.exists():
                raise QueueUnavailableError(_NOWHERE.format(self._private)) from error
            words = f"Redis does not take or give messages: {cause}"
            if isinstance(cause, redis.exceptions.NoPermissionError):
                words += _NOT_OURS.format(self._producer_id.rpartition("-")[0])
            raise QueueUnavailableError(words) from error


def _read(line: bytes | str) -> Receipt | None:
    try:
        return Receipt.model_validate_json(line)
    except ValidationError as error:  # the resend brings another
        log.error("a receipt cannot be read and is skipped: %.200r: %s", line, error)
        return None
