"""Messages that are put back, through kombu and a real Redis: did their worker live?"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import kombu
import pytest

from tests.support.redis_server import RedisServer
from workers.broker import redelivery
from workers.broker.deliveries import Deliveries
from workers.broker.redelivery import Delivery
from workers.broker.transport import install

OPTIONS = {"visibility_timeout": 0, "socket_timeout": 5}


class Hand:
    """Takes and gives back the one message of a queue."""

    def __init__(self, server: RedisServer) -> None:
        install()
        self._url = server.url
        self.open()
        kombu.Producer(self._channel).publish({"number": 1}, routing_key="held")

    def open(self) -> None:
        self._connection = kombu.Connection(self._url, transport_options=OPTIONS)
        self._channel = self._connection.default_channel
        self._queue = kombu.Queue("held", channel=self._channel)
        self._queue.declare()

    def take(self) -> tuple[Any, Delivery]:
        message = self._queue.get(accept=["json"])
        assert message is not None
        info = {"redelivered": message.delivery_info.get("redelivered", False)}
        # As Celery makes a task's request: the headers, and some more.
        request: dict[str, Any] = {
            **message.headers,
            "delivery_info": info,
            "properties": message.properties,
        }
        seen = SimpleNamespace(**request, get=lambda key: request.get(key))
        return message, Delivery.of(seen)

    def sweep(self) -> None:
        self._channel.qos.restore_visible(interval=0)

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def hand(private_redis: RedisServer) -> Iterator[Hand]:
    hand = Hand(private_redis)
    yield hand
    hand.close()


def test_what_a_draining_worker_gives_back_is_no_death(hand: Hand) -> None:
    message, delivery = hand.take()
    assert delivery is Delivery.FIRST
    redelivery.note_task(SimpleNamespace(properties=message.properties))
    message.requeue()
    assert hand.take()[1] is Delivery.HANDED_BACK


def test_what_was_given_back_for_another_reason_counts_as_before(hand: Hand) -> None:
    hand.take()[0].requeue()
    assert hand.take()[1] is Delivery.AFTER_DEATH


def test_what_a_closing_worker_had_in_hand_is_no_death(hand: Hand) -> None:
    hand.take()
    hand.close()
    hand.open()
    assert hand.take()[1] is Delivery.HANDED_BACK


def test_what_nobody_renewed_is_a_death_even_if_it_was_once_handed_back(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    message, _ = hand.take()
    redelivery.note(message.delivery_tag)
    message.requeue()
    assert hand.take()[1] is Delivery.HANDED_BACK
    monkeypatch.setattr(redelivery, "deliveries", Deliveries())  # in another process
    hand.sweep()
    assert hand.take()[1] is Delivery.AFTER_DEATH
