"""What is no message, or breaks its delivery, is buried and stops nobody."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
import redis

from db.inspections import dead_letters
from db.session import default_engine
from tests.acceptance.faults.corpus_messages import entry
from tests.support.fetching import HELD, SINCE, Hand, entries, tag_of
from tests.support.redis_server import RedisServer


@pytest.mark.usefixtures("_database")
@pytest.mark.parametrize(
    "item",
    [
        b"",
        b"\x00",
        b"picture.png",
        b"\xff\xfe",
        b"7",
        b"[1, 2, 3]",
        b'{"properties": 7}',
        b'{"properties": {"delivery_tag": 7}}',
        b'{"properties": {"delivery_tag": "\\ud800"}}',
        b'{"properties": {"delivery_tag": "a"}, "n": 0x10}',
        b'{"properties": {"delivery_tag": "a"}, "n": ' + b"9" * 5000 + b"}",
        b'{"properties": {"delivery_tag": "a"}, "__type__": "datetime", "__value__": 7}',
        b'{"properties": {"delivery_tag": "a"}}',
        b"[" * 100_000,
        b"[" * 990 + b"]" * 990,
        b"[" * 3000 + b"]" * 3000,
    ],
    ids=lambda item: repr(item[:60]),
)
@pytest.mark.parametrize("dies", [False, True], ids=["", "its worker dies first"])
def test_what_is_no_message_is_buried_and_stops_nobody(
    hand: Hand, item: bytes, dies: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = entries(1)
    hand.redis.lpush("inspect", item, *good)
    with monkeypatch.context() as patch:
        if dies:
            patch.setattr(hand.channel, "_hand_over", lambda taken: None)
        hand.turns(3)
    assert len(hand.held()) == (2 if dies else 1)
    if dies:
        hand.channel.qos.restore_visible(interval=0)
        hand.turns(3)
    assert [message.delivery_tag for message in hand.taken] == [tag_of(0)]
    assert hand.held() == {tag_of(0)}
    (letter,) = dead_letters.newest(default_engine())
    assert letter.reason == "unreadable_message"


@pytest.mark.usefixtures("_database")
@pytest.mark.parametrize("readable", [True, False], ids=["", "unreadable to Redis"])
def test_what_breaks_its_delivery_is_buried_and_holds_no_place(
    private_redis: RedisServer, readable: bool
) -> None:
    hand = Hand(private_redis, hands=2)
    broken: list[Any] = []

    def break_down(message: Any) -> None:
        if message.headers["id"].startswith("bad"):
            broken.append(message)
            raise TypeError("unhashable type: 'dict'\nforged")
        hand.taken.append(message)

    hand.consumer.on_message = break_down
    odd = {} if readable else {"unheard_of": "\ud800"}
    hand.redis.lpush("inspect", *[entry(b"[[], {}, {}]", f"bad-{n}", **odd) for n in range(5)])
    hand.redis.lpush("inspect", *entries(1))
    hand.turns()
    assert [message.delivery_tag for message in hand.taken] == [tag_of(0)]
    assert len(broken) == 5
    assert hand.held() == {tag_of(0)}
    assert hand.channel.qos.held() == [tag_of(0)]
    letters = dead_letters.newest(default_engine())
    assert {letter.task_id for letter in letters} == {f"bad-{n}" for n in range(5)}
    assert all("its delivery failed: TypeError" in letter.detail for letter in letters)
    hand.connection.close()


@pytest.mark.usefixtures("_database")
def test_what_becomes_no_message_of_kombus_leaves_nothing_behind(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise TypeError("no message")

    monkeypatch.setattr(hand.channel, "Message", broken)
    hand.redis.lpush("inspect", *entries(3))
    hand.turns()
    assert (hand.held(), hand.channel.qos.noted) == (set(), set())
    assert len(dead_letters.newest(default_engine())) == 3


def test_a_redis_that_goes_away_meanwhile_is_not_the_messages_fault(hand: Hand) -> None:
    def break_down(message: Any) -> None:
        raise redis.ConnectionError("away")

    hand.consumer.on_message = break_down
    hand.redis.lpush("inspect", *entries(1))
    with pytest.raises(redis.ConnectionError):
        hand.turns()
    assert hand.held() == {tag_of(0)}


@pytest.mark.parametrize(
    ("held", "buried"),
    [
        (
            b'[{"headers": {"id": {"__type__": "decimal", "__value__": "1e9"}}}, "", "inspect"]',
            True,
        ),
        (b'[7, "", "inspect"]', True),
        (b'[{}, "", "inspect"]', True),
        (b'[{}, ""]', True),
        (b"{}", True),
        (b"[" * 9999, True),
        (b'[{"properties": {"priority": 0, "delivery_tag": "t"}}, "", "others"]', False),
    ],
)
@pytest.mark.usefixtures("_database")
def test_what_is_held_and_no_message_is_buried_when_it_comes_back(
    hand: Hand, held: bytes, buried: bool
) -> None:
    hand.redis.hset(HELD, "t", held)
    hand.redis.zadd(SINCE, {"t": 1})
    hand.channel.qos.restore_visible(interval=0)
    assert hand.held() == set()
    assert len(dead_letters.newest(default_engine())) == int(buried)
    assert hand.redis.llen("inspect") == 0
    assert hand.redis.llen("others") == int(not buried)  # another application's, in the same Redis


def test_what_redis_cannot_read_and_celery_can_is_a_message(hand: Hand) -> None:
    odd = entry(b"[[], {}, {}]", str(uuid4()), argsrepr="\ud800")
    hand.redis.lpush("inspect", odd)
    (tag,) = hand.turns(3)
    assert hand.held() == {tag}
    hand.taken[0].requeue()
    assert (hand.held(), hand.redis.llen("inspect")) == (set(), 1)


@pytest.mark.usefixtures("_database")
def test_what_cannot_be_buried_is_kept_until_it_can(
    hand: Hand, monkeypatch: pytest.MonkeyPatch
) -> None:
    hand.redis.lpush("inspect", b"picture.png")
    with monkeypatch.context() as patch:
        patch.setattr("workers.broker.qos.bury", lambda *_: False)  # no database
        hand.turns(3)
        assert len(hand.held()) == 1
    hand.channel.qos.restore_visible(interval=0)
    assert hand.held() == set()
    assert [each.payload for each in dead_letters.newest(default_engine())] == ["picture.png"]
