"""Leases against a real Redis: what is worked on is renewed, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator

import kombu
import pytest
import redis
from kombu.exceptions import OperationalError

from tests.support.redis_server import RedisServer
from workers.leases import LeaseKeeper
from workers.transport import install

AWAY = (redis.RedisError, OperationalError, OSError)
OPTIONS = {"socket_timeout": 2, "socket_connect_timeout": 1}


class Hand:
    """A consumer with messages in its hands, and the keeper of their leases."""

    def __init__(self, server: RedisServer, messages: int) -> None:
        install()
        self.connection = kombu.Connection(server.url, transport_options=OPTIONS)
        self.channel = self.connection.default_channel
        queue = kombu.Queue("held", channel=self.channel)
        queue.declare()
        for number in range(messages):
            kombu.Producer(self.channel).publish({"number": number}, routing_key="held")
        taken = [queue.get(accept=["json"]) for _ in range(messages)]
        self.messages = [message for message in taken if message is not None]
        assert len(self.messages) == messages
        self.working: set[str] = set()
        self.keeper = LeaseKeeper(
            server.client(),
            self.channel.unacked_index_key,
            self.channel.qos.held,
            lambda: self.working,
            period_s=0.05,
        )


@pytest.fixture
def hand(private_redis: RedisServer) -> Iterator[Hand]:
    hand = Hand(private_redis, messages=3)
    yield hand
    hand.keeper.stop()
    hand.channel.qos._delivered.clear()  # nothing to give back to a Redis that is gone
    hand.connection.close()


def test_what_is_held_is_renewed_until_it_is_acknowledged(hand: Hand) -> None:
    assert hand.keeper.renew() == 3
    hand.messages[0].ack()
    assert hand.keeper.renew() == 2


@pytest.mark.parametrize("how", ["ack", "reject", "requeue"])
def test_a_message_whose_end_redis_did_not_hear_of_is_let_go(
    hand: Hand, private_redis: RedisServer, how: str
) -> None:
    """Else it would be renewed for as long as this worker lives, and never delivered again."""
    private_redis.stop()
    with pytest.raises(AWAY):
        getattr(hand.messages[0], how)()
    private_redis.start()
    index = private_redis.client()
    before = dict(index.zrange("unacked_index", 0, -1, withscores=True))
    assert hand.keeper.renew() == 2
    after = dict(index.zrange("unacked_index", 0, -1, withscores=True))
    still = {tag for tag, score in after.items() if score == before[tag]}
    assert still == {hand.messages[0].delivery_tag}


def test_a_message_that_broke_off_while_it_was_taken_is_not_held(
    hand: Hand, private_redis: RedisServer
) -> None:
    message = hand.messages[0]
    private_redis.stop()
    with pytest.raises(AWAY):
        hand.channel.qos.append(message, "broken-off")
    assert "broken-off" not in hand.channel.qos.held()
    private_redis.start()


def test_a_keeper_of_a_closed_connection_keeps_only_tasks_and_then_ends(hand: Hand) -> None:
    hand.working.add(hand.messages[1].delivery_tag)
    assert hand.keeper.renew() == 3
    hand.keeper.retire()
    assert hand.keeper.renew() == 1
    hand.working.clear()
    hand.keeper.start()
    hand.keeper._thread.join(5)
    assert not hand.keeper._thread.is_alive()
