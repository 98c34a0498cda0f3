"""Taking messages from a Redis that is full."""

from __future__ import annotations

import pytest
import redis

from tests.support.fetching import Hand, entries, tag_of


def test_a_full_redis_hears_that_a_message_is_done_with(hand: Hand) -> None:
    """Nothing inside MULTI is taken while it is full, not even what makes room."""
    hand.redis.lpush("inspect", *entries(3))
    hand.turns(5)
    hand.redis.config_set("maxmemory-policy", "noeviction")
    hand.redis.config_set("maxmemory", "1")
    for message in hand.taken:
        message.ack()
    assert hand.held() == set()
    assert hand.channel.qos.held() == []


def test_what_a_full_redis_does_not_take_back_comes_back_later(hand: Hand) -> None:
    hand.redis.lpush("inspect", *entries(1))
    hand.turns(3)
    hand.redis.config_set("maxmemory-policy", "noeviction")
    hand.redis.config_set("maxmemory", "1")
    hand.taken[0].reject(requeue=True)
    assert hand.channel.qos.held() == []  # no lease is renewed
    hand.channel.qos.restore_visible(interval=0)
    assert hand.held() == {tag_of(0)}
    hand.redis.config_set("maxmemory", "0")
    hand.channel.qos.restore_visible(interval=0)
    assert hand.redis.llen("inspect") == 1


def test_a_full_redis_can_be_emptied(hand: Hand) -> None:
    hand.turn()
    hand.redis.lpush("inspect", *entries(3))
    hand.redis.config_set("maxmemory-policy", "noeviction")
    hand.redis.config_set("maxmemory", "1")
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        hand.redis.lpush("inspect", b"one more")
    for _ in range(8):  # some of them begin with a wait, which Redis refuses
        hand.turn()
    assert [message.delivery_tag for message in hand.taken] == [tag_of(0), tag_of(1), tag_of(2)]
    hand.redis.config_set("maxmemory", "0")
    assert hand.held() == {tag_of(0), tag_of(1), tag_of(2)}
