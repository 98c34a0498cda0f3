"""A connection whose Redis is gone is closed to the end, as Celery's consumer closes it."""

from __future__ import annotations

from collections.abc import Iterator

import kombu
import pytest
from kombu.common import ignore_errors

from tests.support.redis_server import RedisServer
from workers.broker.transport import Transport, install

OPTIONS = {
    "socket_timeout": 2,
    "socket_connect_timeout": 1,
    "visibility_timeout": 1,
    "retry_on_timeout": True,
}


@pytest.fixture
def connection(private_redis: RedisServer) -> Iterator[kombu.Connection]:
    """Three channels, as a worker has, and a message in the hands of each."""
    install()
    connection = kombu.Connection(private_redis.url, transport_options=OPTIONS)
    for channel in (connection.default_channel, connection.channel(), connection.channel()):
        queue = kombu.Queue("held", channel=channel)
        queue.declare()
        kombu.Producer(channel).publish({"what": "a message"}, routing_key="held")
        assert queue.get(accept=["json"]) is not None
    yield connection
    connection.close()


def test_a_connection_is_collected_and_closed_while_redis_is_away(
    connection: kombu.Connection, private_redis: RedisServer
) -> None:
    """What breaks in here ends a worker of Celery 5.7 with an "Unrecoverable error"."""
    transport = connection.transport
    assert isinstance(transport, Transport)
    channels = list(transport.channels)
    assert len(channels) == 3
    private_redis.kill()
    connection.collect(socket_timeout=5)
    assert all(channel.closed for channel in channels)
    assert transport.channels == []
    ignore_errors(connection, connection.close)


def test_a_loop_that_hears_remote_control_learns_that_redis_was_away(
    private_redis: RedisServer,
) -> None:
    """It was back at once. On a connection made anew in silence nobody would speak to this loop."""
    install()
    with kombu.Connection(private_redis.url, transport_options=OPTIONS) as connection:
        channel = connection.default_channel
        channel.exchange_declare("control", "fanout")
        channel.queue_declare("mine")
        channel.queue_bind("mine", "control")
        channel.basic_consume("mine", True, lambda _: None, "c")
        connection.transport.cycle._register_LISTEN(channel)
        assert channel.subclient.connection.can_read(timeout=5)
        channel._receive()  # that it is subscribed
        private_redis.restart()
        with pytest.raises(connection.connection_errors):
            channel._receive()


def test_what_was_held_then_is_still_held_in_redis(
    connection: kombu.Connection, private_redis: RedisServer
) -> None:
    """Nobody gave it back; whoever sweeps next does."""
    private_redis.stop()
    connection.collect(socket_timeout=5)
    private_redis.start()
    client = private_redis.client()
    assert client.hlen("unacked") == 3
    assert client.llen("held") == 0
