"""Leases against a real Redis: what is worked on is renewed, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import kombu
import pytest
import redis
from kombu.exceptions import OperationalError

from tests.support.redis_server import RedisServer
from tests.support.waiting import until
from workers.broker.deliveries import deliveries
from workers.broker.fetch import Taken
from workers.broker.leases import LeaseKeeper
from workers.broker.redelivery import HEADER
from workers.broker.transport import install

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
    until(lambda: not hand.keeper._thread.alive, 5)


def test_what_another_worker_holds_is_not_renewed(hand: Hand, private_redis: RedisServer) -> None:
    """Else the messages of a dead worker would never come back."""
    other = Hand(private_redis, messages=2)
    try:
        index = private_redis.client()
        taken_long_ago = dict.fromkeys(index.zrange("unacked_index", 0, -1), 1.0)
        index.zadd("unacked_index", taken_long_ago)
        assert hand.keeper.renew() == 3
        old = set(index.zrangebyscore("unacked_index", 1, 1))
        assert old == {message.delivery_tag for message in other.messages}
    finally:
        other.connection.close()


def test_what_was_given_back_meanwhile_is_not_taken_again(
    hand: Hand, private_redis: RedisServer
) -> None:
    private_redis.client().zrem("unacked_index", hand.messages[0].delivery_tag)
    hand.keeper.renew()
    assert private_redis.client().zscore("unacked_index", hand.messages[0].delivery_tag) is None


def test_what_became_no_task_is_renewed_no_more_and_its_place_is_free(
    hand: Hand, private_redis: RedisServer
) -> None:
    stuck = hand.messages[0].delivery_tag
    hand.keeper._stuck = lambda: [stuck, "of another connection"]
    hand.keeper._let_go = hand.channel.qos.give_up
    index = private_redis.client()
    before = dict(index.zrange("unacked_index", 0, -1, withscores=True))
    assert hand.keeper.renew() == 2
    after = dict(index.zrange("unacked_index", 0, -1, withscores=True))
    assert {tag for tag, score in after.items() if score == before[tag]} == {stuck}
    assert stuck not in hand.channel.qos.held()


@pytest.mark.parametrize("how", ["ack", "reject", "requeue", "park", "give back"])
def test_what_is_settled_is_expected_to_become_a_task_no_more(hand: Hand, how: str) -> None:
    """A worker parks what it cannot judge: such a message is not held for nothing."""
    tag = hand.messages[0].delivery_tag
    deliveries.taken(tag)
    if how == "park":
        hand.channel.qos.park(tag, 5, 0)
    elif how == "give back":
        hand.channel.qos.restore_unacked()
    else:
        getattr(hand.messages[0], how)()
    assert not deliveries.waits(tag)


@pytest.mark.parametrize("blamed", [False, True])
def test_what_broke_its_worker_goes_back_as_after_a_death(
    hand: Hand, private_redis: RedisServer, blamed: bool
) -> None:
    if blamed:
        deliveries.blame(hand.messages[0].delivery_tag)
    hand.channel.qos.restore_unacked()
    messages = [json.loads(item) for item in private_redis.client().lrange("held", 0, -1)]
    alive = [m["headers"][HEADER] for m in messages]
    assert sorted(alive) == [not blamed, True, True]


def test_while_a_message_is_to_be_alone_nothing_is_taken_and_all_is_renewed(hand: Hand) -> None:
    qos = hand.channel.qos
    assert qos.can_consume()
    qos.arrivals.add(Taken("held", b"waits", b"{}"))
    assert not qos.can_consume()
    assert "waits" in qos.held()
    qos.arrivals.clear()
    assert qos.can_consume()
