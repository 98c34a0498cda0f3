"""What the event dispatcher publishes, and when, heard on a real Redis."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
import redis
from kombu.asynchronous import Hub, set_event_loop

from linewatch.settings import Settings
from tests.support.redis_server import RedisServer
from workers.app import make_app
from workers.broker.events import GATHER_S, Dispatcher


class Watched:
    """A worker's dispatcher, its loop, and somebody who listens."""

    def __init__(self, server: RedisServer, hub: Hub) -> None:
        self.hub = hub
        self.app = make_app(Settings(redis_url=server.url))
        self.connection = self.app.connection_for_write()
        self.dispatcher = self.new()
        self._listener = server.client().pubsub()  # type: ignore[no-untyped-call]
        self._listener.psubscribe("*celeryev*")
        self._listener.get_message(timeout=5)  # that it listens now

    def new(self) -> Dispatcher:
        made: Dispatcher = self.app.events.Dispatcher(self.connection, buffer_group=["task"])
        return made

    def send(self, count: int) -> None:
        for number in range(count):
            self.dispatcher.send("task-started", uuid=str(number))
            self.dispatcher.flush()  # as the worker's loop does at every turn

    def heard(self) -> list[int]:
        """How many events each publication since the last look had."""
        found: list[int] = []
        while (said := self._listener.get_message(timeout=0.2)) is not None:
            body: Any = json.loads(said["data"])
            found.append(len(json.loads(_decoded(body))))
        return found

    def loop(self, seconds: float) -> None:
        """Let the loop's timers fire."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self.hub.fire_timers()
            time.sleep(0.005)


def _decoded(body: dict[str, Any]) -> str:
    return base64.b64decode(body["body"]).decode()


@pytest.fixture
def watched(private_redis: RedisServer) -> Iterator[Watched]:
    hub = Hub()
    set_event_loop(hub)
    watched = Watched(private_redis, hub)
    yield watched
    watched.connection.close()
    set_event_loop(None)


def test_events_gather_for_a_moment(watched: Watched) -> None:
    watched.send(10)
    assert watched.heard() == []
    watched.loop(2 * GATHER_S)
    assert watched.heard() == [10]
    watched.loop(2 * GATHER_S)
    assert watched.heard() == []


def test_a_full_buffer_does_not_wait(watched: Watched) -> None:
    watched.dispatcher.buffer_limit = 4
    watched.send(9)
    assert watched.heard() == [4, 4]
    watched.loop(2 * GATHER_S)
    assert watched.heard() == [1]


def test_a_worker_that_stops_keeps_nothing_back(watched: Watched) -> None:
    watched.send(3)
    watched.dispatcher.hurry()
    watched.dispatcher.send("task-succeeded", uuid="0")
    watched.dispatcher.send("task-succeeded", uuid="1")
    published = watched.heard()
    assert published[0] == 3  # what had gathered goes first
    assert len(published) == 3


def test_a_new_connections_dispatcher_takes_over_what_gathered(watched: Watched) -> None:
    watched.send(3)
    old, watched.dispatcher = watched.dispatcher, watched.new()
    old.close()
    watched.dispatcher.extend_buffer(old)
    watched.dispatcher.flush()
    watched.loop(2 * GATHER_S)
    assert watched.heard() == [3]


def test_a_channel_keeps_its_client(watched: Watched) -> None:
    channel = watched.connection.default_channel
    with channel.conn_or_acquire() as first, channel.conn_or_acquire() as second:
        assert first is second
        assert isinstance(first, redis.Redis)
    watched.connection.close()
    watched.connection = watched.app.connection_for_write()
    with watched.connection.default_channel.conn_or_acquire() as other:
        assert other is not first
        assert other.ping()
