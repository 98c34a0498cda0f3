"""Taking messages, against a real Redis: each is in its list, or noted as held, never neither."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest
import redis

from tests.acceptance.faults.corpus_messages import entry
from tests.support.fetching import SINCE, Hand, entries, tag_of
from tests.support.redis_server import RedisServer
from workers.config import MAINTENANCE_TASK, RETRAIN_TASK


def test_messages_are_taken_in_their_order_and_noted_on_the_clock_of_redis(hand: Hand) -> None:
    hand.redis.lpush("inspect", *entries(50))
    before = _seconds(hand.redis)
    tags = hand.turns()
    assert tags == [tag_of(number) for number in range(50)]
    assert hand.held() == set(tags)
    assert all(before <= at <= _seconds(hand.redis) for _, at in _scores(hand.redis))
    assert hand.redis.llen("inspect") == 0


def test_no_more_are_taken_than_hands_hold(private_redis: RedisServer) -> None:
    hand = Hand(private_redis, hands=5)
    hand.redis.lpush("inspect", *entries(300))
    assert len(hand.turns()) == 5
    assert hand.redis.llen("inspect") == 295
    hand.taken[0].ack()
    assert len(hand.turns()) == 6
    hand.connection.close()


def test_of_a_short_queue_each_worker_takes_one_at_a_time(hand: Hand) -> None:
    hand.redis.lpush("inspect", *entries(15))
    hand.turn()
    hand.turn()  # the first told Redis the script
    assert len(hand.taken) == 1


def test_of_a_deep_queue_many_are_taken_at_once(hand: Hand) -> None:
    hand.redis.lpush("inspect", *entries(1000))
    hand.turn()
    hand.turn()
    assert len(hand.taken) == 16


def test_a_message_that_comes_is_taken_at_once_by_one_of_those_who_wait(
    private_redis: RedisServer,
) -> None:
    hands = [Hand(private_redis) for _ in range(3)]
    for hand in hands:
        hand.turns(2)
    waiting = [threading.Thread(target=hand.turn) for hand in hands]
    began = time.monotonic()
    for each in waiting:
        each.start()
    time.sleep(0.2)
    hands[0].redis.lpush("inspect", *entries(1))
    for each in waiting:
        each.join()
    assert sorted(len(hand.taken) for hand in hands) == [0, 0, 1]
    assert time.monotonic() - began < 0.9  # who waits in vain, waits for a second
    for hand in hands:
        hand.connection.close()


def test_lists_of_other_priorities_and_queues_are_taken_too(private_redis: RedisServer) -> None:
    hand = Hand(private_redis, "train", "maintenance")
    low, normal, other = (
        entry(
            b"[[], {}, {}]", "i", task=task, properties={"delivery_tag": tag_of(n), "priority": 6}
        )
        for n, task in enumerate([RETRAIN_TASK, RETRAIN_TASK, MAINTENANCE_TASK])
    )
    hand.redis.lpush("train\x06\x166", low)
    hand.redis.lpush("train", normal)
    hand.redis.lpush("maintenance", other)
    assert sorted(hand.turns()) == [tag_of(0), tag_of(1), tag_of(2)]
    for message in hand.taken:
        message.requeue()
    lengths = [hand.redis.llen(key) for key in ("train\x06\x166", "maintenance\x06\x166")]
    assert lengths == [2, 1]  # each in the queue it came from, by the priority it asks for
    hand.connection.close()


def test_queues_take_turns(private_redis: RedisServer) -> None:
    hand = Hand(private_redis, "train", "maintenance", hands=1)
    *busy, other = (
        entry(b"[[], {}, {}]", "i", task=task, properties={"delivery_tag": tag_of(n)})
        for n, task in enumerate([RETRAIN_TASK] * 3 + [MAINTENANCE_TASK])
    )
    hand.redis.lpush("train", *busy)
    hand.redis.lpush("maintenance", other)
    for number in range(1, 3):
        assert len(hand.turns(4)) == number
        hand.taken[-1].ack()
    assert tag_of(3) in [message.delivery_tag for message in hand.taken]
    hand.connection.close()


def test_an_acknowledged_message_is_gone_and_a_held_one_comes_back_whole(hand: Hand) -> None:
    first, second = entries(2, delivery_info={"exchange": None, "routing_key": "elsewhere"})
    hand.redis.lpush("inspect", first, second)
    hand.turns()
    hand.taken[0].ack()
    assert hand.held() == {tag_of(1)}
    hand.channel.qos._delivered.clear()  # as if its worker were dead
    hand.channel.qos.restore_visible(interval=0)
    assert hand.held() == set()
    (back,) = hand.redis.lrange("inspect", 0, -1)
    before, after = json.loads(second), json.loads(back)
    assert after["body"] == before["body"]
    assert after["headers"].items() >= before["headers"].items()


@pytest.mark.parametrize("way", ["its worker dies", "it is given back"])
def test_what_comes_back_is_as_it_was_made_at_the_gate(hand: Hand, way: str) -> None:
    typed = {"__type__": "decimal", "__value__": "1e999999999"}
    sent = entry(
        b'[[{"a": 1}], {}, {}]', "i", stamped_headers=[{}], compression=None, retries=typed
    )
    hand.redis.lpush("inspect", sent)
    hand.turns()
    if way == "it is given back":
        hand.taken[0].requeue()
    else:
        hand.channel.qos._delivered.clear()
        hand.channel.qos.restore_visible(interval=0)
    (back,) = hand.redis.lrange("inspect", 0, -1)
    assert b"__type__" not in back
    assert b"stamped_headers" not in back
    hand.taken.clear()
    hand.turns()
    (again,) = hand.taken
    assert again.payload[0] == [{"a": 1}]
    assert again.delivery_info["redelivered"] is True
    assert again.headers["linewatch_handed_back"] is False


def test_a_redis_that_forgot_the_script_is_told_again(hand: Hand) -> None:
    hand.turns(2)
    hand.redis.script_flush()
    hand.redis.lpush("inspect", *entries(1))
    assert hand.turns(2) == [tag_of(0)]


def test_a_lost_reply_loses_no_message(hand: Hand, private_redis: RedisServer) -> None:
    hand.turns(2)
    hand.redis.lpush("inspect", *entries(2))
    hand.channel._more = True
    hand.connection.transport.cycle._register_BRPOP(hand.channel)
    _until(lambda: hand.redis.llen("inspect") == 1)
    hand.channel.client.connection.disconnect()  # the reply with it
    assert hand.turns() == [tag_of(1)]
    assert hand.held() == {tag_of(0), tag_of(1)}
    assert hand.channel.qos.held() == [tag_of(1)]  # no lease for the other, so it comes back
    hand.channel.qos.restore_visible(interval=0)


def _until(done: Any) -> None:
    deadline = time.monotonic() + 5
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _seconds(client: redis.Redis) -> float:
    seconds, microseconds = client.time()
    return float(seconds + microseconds / 1e6)


def _scores(client: redis.Redis) -> list[tuple[bytes, float]]:
    found: list[tuple[bytes, float]] = client.zrange(SINCE, 0, -1, withscores=True)
    return found


def test_a_parked_message_comes_back_after_a_pause_and_many_one_by_one(hand: Hand) -> None:
    hand.redis.lpush("inspect", *entries(3))
    assert set(hand.turns(6)) == {tag_of(n) for n in range(3)}
    before = hand.redis.time()[0]
    for message in hand.taken:
        message.channel.qos.park(message.delivery_tag, 1.0, 0.5)
    assert hand.channel.qos.held() == []  # no lease is renewed, no hand is full
    assert hand.held() == {tag_of(n) for n in range(3)}  # but nothing is lost
    # By the time noted, kombu gives a message back a visibility timeout (here: 0 s) later.
    due = [score for _, score in hand.redis.zrange(SINCE, 0, -1, withscores=True)]
    assert due[0] >= before + 1.0
    assert [round(later - due[0], 3) for later in due] == [0.0, 0.5, 1.0]
    hand.channel.qos.restore_visible(interval=1)
    assert hand.redis.llen("inspect") == 0, "at once: that would be a busy loop"
    time.sleep(1.2)
    hand.channel.qos.restore_visible(interval=1)
    assert hand.redis.llen("inspect") == 1
    assert len(hand.held()) == 2
