"""kombu's Redis transport with Linewatch's channel, for every Redis URL of a process."""

from __future__ import annotations

from typing import Any

from kombu.transport import TRANSPORT_ALIASES, _transport_cache
from kombu.transport import redis as kombu_redis

from workers.broker.channel import Channel


class Transport(kombu_redis.Transport):  # type: ignore[misc]
    """kombu's transport, with the channel above."""

    Channel = Channel

    def register_with_event_loop(self, connection: Any, loop: Any) -> None:
        """Have the loop look, at each turn, for messages that wait to be handed over."""
        super().register_with_event_loop(connection, loop)
        loop.on_tick.add(self._hand_over_waiting)

    def _hand_over_waiting(self) -> None:
        for channel in list(self.channels):
            channel.hand_over_waiting()

    def close_connection(self, connection: Any) -> None:
        """Close every channel, also after one that Redis, being away, did not let go in order.

        kombu stops at the first. Celery 5.7 then closes the others without a connection to ask
        for: "'NoneType' object has no attribute 'hostname'", which ends the worker.

        Raises:
            ConnectionError: of the first channel that could not be closed in order, or another of
                `connection_errors`.
        """
        first: Exception | None = None
        while True:  # each channel is taken off the list before it is closed
            try:
                super().close_connection(connection)
                break
            except self.connection_errors as error:
                first = first or error
        if first is not None:
            raise first


def install() -> None:
    """Let every Redis URL of this process use the transport above.

    Also where a connection was made before, as a camera's is: kombu keeps the class that it found.
    """
    path = f"{__name__}:Transport"
    for scheme in ("redis", "rediss"):
        TRANSPORT_ALIASES[scheme] = path
        _transport_cache.pop(scheme, None)
