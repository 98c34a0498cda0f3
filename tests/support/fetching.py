"""A consumer of messages as Celery's is, and messages for it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import uuid4

import kombu
import redis
from kombu.transport.virtual import Empty

from tests.acceptance.faults.corpus_messages import entry
from tests.support.redis_server import RedisServer
from workers.broker.channel import Channel
from workers.broker.transport import install

HELD, SINCE = "unacked", "unacked_index"


class Hand:
    """A consumer as Celery's is: it takes what its hands hold, and polls by itself."""

    def __init__(self, server: RedisServer, *queues: str, hands: int = 0) -> None:
        install()
        self.redis = redis.Redis.from_url(server.url)
        options = {"socket_timeout": 5, "visibility_timeout": 0}
        self.connection = kombu.Connection(server.url, transport_options=options)
        self.channel: Channel = self.connection.channel()
        self.channel.brpop_timeout = self.connection.transport.brpop_timeout = 1
        self.taken: list[Any] = []
        self.consumer = kombu.Consumer(
            self.channel,
            [kombu.Queue(name) for name in queues or ("inspect",)],
            on_message=self.taken.append,
            accept=["json"],
        )
        self.consumer.qos(prefetch_count=hands)
        self.consumer.consume()

    def turn(self) -> None:
        """Send the commands and hear the reply, as one turn of the event loop."""
        self.connection.transport.cycle._register_BRPOP(self.channel)
        with suppress(Empty):
            self.channel._brpop_read()

    def turns(self, count: int = 40) -> list[str]:
        """The delivery tags of what was taken in so many turns that need not wait."""
        for _ in range(count):
            self.channel._more = True
            if self.channel.qos.can_consume():
                self.turn()
        return [message.delivery_tag for message in self.taken]

    def held(self) -> set[str]:
        found = {tag.decode() for tag in self.redis.hkeys(HELD)}
        assert found == {tag.decode() for tag in self.redis.zrange(SINCE, 0, -1)}
        return found


def tag_of(number: int) -> str:
    return f"tag-{number:03}"


def entries(count: int, **properties: Any) -> list[bytes]:
    return [
        entry(b"[[], {}, {}]", str(uuid4()), properties={"delivery_tag": tag_of(n), **properties})
        for n in range(count)
    ]
