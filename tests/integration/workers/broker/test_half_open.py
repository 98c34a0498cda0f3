"""Connections whose other end is gone, and nobody was told: a cable, a firewall, a power cut."""

from __future__ import annotations

import time
from collections.abc import Callable
from uuid import uuid4

import kombu
from kombu.asynchronous import Hub

from linewatch.settings import Settings
from tests.acceptance.faults.corpus_messages import entry
from tests.acceptance.faults.proxy import Proxy
from tests.support.redis_server import RedisServer
from workers.broker.transport import install
from workers.config import REDIS_SILENT_S, broker_transport_options

# A poll is found out within its own second and two looks. A busy machine may take a while more.
NOTICED_S, SLOW_MACHINE_S = 1 + 2 * REDIS_SILENT_S, 5


def test_a_loop_that_polls_in_vain_polls_anew(
    private_redis: RedisServer, make_settings: Callable[..., Settings]
) -> None:
    install()
    client = private_redis.client()
    with Proxy("127.0.0.1", private_redis.port) as cable:
        settings = make_settings(redis_url=f"redis://127.0.0.1:{cable.port}/0")
        options = broker_transport_options(settings)
        with kombu.Connection(settings.broker_url, transport_options=options) as connection:
            hub = Hub()
            connection.register_with_event_loop(hub)
            consumer = kombu.Consumer(
                connection.default_channel, [kombu.Queue("inspect")], on_message=lambda _: None
            )
            consumer.consume()
            loop = hub.create_loop()
            _turn(loop, 1.5)  # it polls
            assert cable.silence() > 0
            time.sleep(2)  # the poll that Redis has is over, and its reply went nowhere
            client.lpush("inspect", entry(b"[[], {}, {}]", str(uuid4())))
            began = time.monotonic()
            while not client.hlen("unacked"):
                _turn(loop, 0.2)
                assert time.monotonic() - began < NOTICED_S + SLOW_MACHINE_S


def test_a_command_on_a_connection_that_fell_silent_is_sent_on_another(
    private_redis: RedisServer, make_settings: Callable[..., Settings]
) -> None:
    """Such as an acknowledgement; nothing else moves in the loop meanwhile."""
    install()
    with Proxy("127.0.0.1", private_redis.port) as cable:
        settings = make_settings(redis_url=f"redis://127.0.0.1:{cable.port}/0")
        options = broker_transport_options(settings)
        with (
            kombu.Connection(settings.broker_url, transport_options=options) as connection,
            connection.default_channel.conn_or_acquire() as client,
        ):
            assert client.ping()
            assert cable.silence() > 0
            began = time.monotonic()
            assert client.ping()
            assert time.monotonic() - began < REDIS_SILENT_S + SLOW_MACHINE_S


def _turn(loop: object, seconds: float) -> None:
    """Let the event loop run for a while."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        next(loop)  # type: ignore[call-overload]
