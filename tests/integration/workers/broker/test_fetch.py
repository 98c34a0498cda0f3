"""Taking messages, against a real Redis: each is in its list, or noted as held, never neither."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any
from uuid import uuid4

import kombu
import pytest
import redis
from kombu.transport.virtual import Empty

from db.inspections import dead_letters
from db.session import default_engine
from linewatch.settings import get_settings
from tests.acceptance.faults.corpus_messages import entry
from tests.support.redis_server import RedisServer
from workers.broker.channel import Channel
from workers.broker.fetch import ENOUGH
from workers.broker.transport import install
from workers.config import MAINTENANCE_TASK, RETRAIN_TASK

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


@pytest.fixture
def hand(private_redis: RedisServer) -> Iterator[Hand]:
    hand = Hand(private_redis)
    yield hand
    hand.connection.close()


@pytest.fixture
def _database(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LINEWATCH_DATABASE_URL", sqlite_url)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def _tag(number: int) -> str:
    return f"tag-{number:03}"


def _entries(count: int, **properties: Any) -> list[bytes]:
    return [
        entry(b"[[], {}, {}]", str(uuid4()), properties={"delivery_tag": _tag(n), **properties})
        for n in range(count)
    ]


def test_messages_are_taken_in_their_order_and_noted_on_the_clock_of_redis(hand: Hand) -> None:
    hand.redis.lpush("inspect", *_entries(50))
    before = _seconds(hand.redis)
    tags = hand.turns()
    assert tags == [_tag(number) for number in range(50)]
    assert hand.held() == set(tags)
    assert all(before <= at <= _seconds(hand.redis) for _, at in _scores(hand.redis))
    assert hand.redis.llen("inspect") == 0


def test_no_more_are_taken_than_hands_hold(private_redis: RedisServer) -> None:
    hand = Hand(private_redis, hands=5)
    hand.redis.lpush("inspect", *_entries(300))
    assert len(hand.turns()) == 5
    assert hand.redis.llen("inspect") == 295
    hand.taken[0].ack()
    assert len(hand.turns()) == 6
    hand.connection.close()


def test_of_a_short_queue_each_worker_takes_one_at_a_time(hand: Hand) -> None:
    hand.redis.lpush("inspect", *_entries(15))
    hand.turn()
    hand.turn()  # the first told Redis the script
    assert len(hand.taken) == 1


def test_of_a_deep_queue_many_are_taken_at_once(hand: Hand) -> None:
    hand.redis.lpush("inspect", *_entries(1000))
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
    hands[0].redis.lpush("inspect", *_entries(1))
    for each in waiting:
        each.join()
    assert sorted(len(hand.taken) for hand in hands) == [0, 0, 1]
    assert time.monotonic() - began < 0.9  # who waits in vain, waits for a second
    for hand in hands:
        hand.connection.close()


def test_lists_of_other_priorities_and_queues_are_taken_too(private_redis: RedisServer) -> None:
    hand = Hand(private_redis, "train", "maintenance")
    low, normal, other = (
        entry(b"[[], {}, {}]", "i", task=task, properties={"delivery_tag": _tag(n), "priority": 6})
        for n, task in enumerate([RETRAIN_TASK, RETRAIN_TASK, MAINTENANCE_TASK])
    )
    hand.redis.lpush("train\x06\x166", low)
    hand.redis.lpush("train", normal)
    hand.redis.lpush("maintenance", other)
    assert sorted(hand.turns()) == [_tag(0), _tag(1), _tag(2)]
    for message in hand.taken:
        message.requeue()
    lengths = [hand.redis.llen(key) for key in ("train\x06\x166", "maintenance\x06\x166")]
    assert lengths == [2, 1]  # each in the queue it came from, by the priority it asks for
    hand.connection.close()


def test_queues_take_turns(private_redis: RedisServer) -> None:
    hand = Hand(private_redis, "train", "maintenance", hands=1)
    *busy, other = (
        entry(b"[[], {}, {}]", "i", task=task, properties={"delivery_tag": _tag(n)})
        for n, task in enumerate([RETRAIN_TASK] * 3 + [MAINTENANCE_TASK])
    )
    hand.redis.lpush("train", *busy)
    hand.redis.lpush("maintenance", other)
    for number in range(1, 3):
        assert len(hand.turns(4)) == number
        hand.taken[-1].ack()
    assert _tag(3) in [message.delivery_tag for message in hand.taken]
    hand.connection.close()


def test_an_acknowledged_message_is_gone_and_a_held_one_comes_back_whole(hand: Hand) -> None:
    first, second = _entries(2, delivery_info={"exchange": None, "routing_key": "elsewhere"})
    hand.redis.lpush("inspect", first, second)
    hand.turns()
    hand.taken[0].ack()
    assert hand.held() == {_tag(1)}
    hand.channel.qos._delivered.clear()  # as if its worker were dead
    hand.channel.qos.restore_visible(interval=0)
    assert hand.held() == set()
    (back,) = hand.redis.lrange("inspect", 0, -1)
    before, after = json.loads(second), json.loads(back)
    assert after["body"] == before["body"]
    assert after["headers"].items() >= before["headers"].items()


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
    good = _entries(1)
    hand.redis.lpush("inspect", item, *good)
    with monkeypatch.context() as patch:
        if dies:
            patch.setattr(hand.channel, "_hand_over", lambda taken: None)
        hand.turns(3)
    assert len(hand.held()) == (2 if dies else 1)
    if dies:
        hand.channel.qos.restore_visible(interval=0)
        hand.turns(3)
    assert [message.delivery_tag for message in hand.taken] == [_tag(0)]
    assert hand.held() == {_tag(0)}
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
    hand.redis.lpush("inspect", *_entries(1))
    hand.turns()
    assert [message.delivery_tag for message in hand.taken] == [_tag(0)]
    assert len(broken) == 5
    assert hand.held() == {_tag(0)}
    assert hand.channel.qos.held() == [_tag(0)]
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
    hand.redis.lpush("inspect", *_entries(3))
    hand.turns()
    assert (hand.held(), hand.channel.qos.noted) == (set(), set())
    assert len(dead_letters.newest(default_engine())) == 3


def test_a_redis_that_goes_away_meanwhile_is_not_the_messages_fault(hand: Hand) -> None:
    def break_down(message: Any) -> None:
        raise redis.ConnectionError("away")

    hand.consumer.on_message = break_down
    hand.redis.lpush("inspect", *_entries(1))
    with pytest.raises(redis.ConnectionError):
        hand.turns()
    assert hand.held() == {_tag(0)}


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


def test_a_full_redis_hears_that_a_message_is_done_with(hand: Hand) -> None:
    """Nothing inside MULTI is taken while it is full, not even what makes room."""
    hand.redis.lpush("inspect", *_entries(3))
    hand.turns(5)
    hand.redis.config_set("maxmemory-policy", "noeviction")
    hand.redis.config_set("maxmemory", "1")
    for message in hand.taken:
        message.ack()
    assert hand.held() == set()
    assert hand.channel.qos.held() == []


def test_what_a_full_redis_does_not_take_back_comes_back_later(hand: Hand) -> None:
    hand.redis.lpush("inspect", *_entries(1))
    hand.turns(3)
    hand.redis.config_set("maxmemory-policy", "noeviction")
    hand.redis.config_set("maxmemory", "1")
    hand.taken[0].reject(requeue=True)
    assert hand.channel.qos.held() == []  # no lease is renewed
    hand.channel.qos.restore_visible(interval=0)
    assert hand.held() == {_tag(0)}
    hand.redis.config_set("maxmemory", "0")
    hand.channel.qos.restore_visible(interval=0)
    assert hand.redis.llen("inspect") == 1


def test_a_full_redis_can_be_emptied(hand: Hand) -> None:
    hand.turn()
    hand.redis.lpush("inspect", *_entries(3))
    hand.redis.config_set("maxmemory-policy", "noeviction")
    hand.redis.config_set("maxmemory", "1")
    with pytest.raises(redis.exceptions.OutOfMemoryError):
        hand.redis.lpush("inspect", b"one more")
    for _ in range(8):  # some of them begin with a wait, which Redis refuses
        hand.turn()
    assert [message.delivery_tag for message in hand.taken] == [_tag(0), _tag(1), _tag(2)]
    hand.redis.config_set("maxmemory", "0")
    assert hand.held() == {_tag(0), _tag(1), _tag(2)}


def test_a_redis_that_forgot_the_script_is_told_again(hand: Hand) -> None:
    hand.turns(2)
    hand.redis.script_flush()
    hand.redis.lpush("inspect", *_entries(1))
    assert hand.turns(2) == [_tag(0)]


def test_a_lost_reply_loses_no_message(hand: Hand, private_redis: RedisServer) -> None:
    hand.turns(2)
    hand.redis.lpush("inspect", *_entries(2))
    hand.channel._more = True
    hand.connection.transport.cycle._register_BRPOP(hand.channel)
    _until(lambda: hand.redis.llen("inspect") == 1)
    hand.channel.client.connection.disconnect()  # the reply with it
    assert hand.turns() == [_tag(1)]
    assert hand.held() == {_tag(0), _tag(1)}
    assert hand.channel.qos.held() == [_tag(1)]  # no lease for the other, so it comes back
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
    hand.redis.lpush("inspect", *_entries(3))
    assert set(hand.turns(6)) == {_tag(n) for n in range(3)}
    before = hand.redis.time()[0]
    for message in hand.taken:
        message.channel.qos.park(message.delivery_tag, 1.0, 0.5)
    assert hand.channel.qos.held() == []  # no lease is renewed, no hand is full
    assert hand.held() == {_tag(n) for n in range(3)}  # but nothing is lost
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


# Parts of a JSON string or list that make much work of few bytes.
UNITS = {"letters": b"A", "escapes": b"\\n", "numbers": b",1", "objects": b",{}", "lists": b",[]"}


def _laborious(unit: bytes, size: int, number: int) -> bytes:
    opened, closed = (b"[0", b"]") if unit.startswith(b",") else (b'"', b'"')
    head = b'{"properties": {"delivery_tag": "%d"}, "body": ' % number
    return head + opened + unit * (size // len(unit)) + closed + b"}"


@pytest.mark.parametrize("size", [3_800_000, 1_400_000, 60_000], ids=lambda size: f"{size} bytes")
@pytest.mark.parametrize("unit", UNITS.values(), ids=UNITS.keys())
def test_large_entries_hold_redis_for_a_moment_only(hand: Hand, unit: bytes, size: int) -> None:
    hand.channel._hand_over = lambda taken: None
    hand.turns(2)  # the first tells Redis the script
    count = 64 if size < 1_000_000 else 32
    for number in range(count):
        hand.redis.lpush("inspect", _laborious(unit, size, number))
    spent_s = []
    for turn in range(1, 7):
        before = _processor_time_s(hand)
        hand.turn()
        spent_s.append(_processor_time_s(hand) - before)
        assert len(hand.held()) * size < (ENOUGH + size + 100) * turn
    assert max(spent_s) < 0.2  # of a slow machine


def _processor_time_s(hand: Hand) -> float:
    """What Redis has computed so far, however busy the machine is with much else."""
    used = hand.redis.info("cpu")
    return float(used["used_cpu_user"]) + float(used["used_cpu_sys"])


def test_equal_entries_that_nobody_reads_are_all_noted(hand: Hand) -> None:
    hand.channel._hand_over = lambda taken: None
    hand.turns(2)
    for _ in range(5):
        hand.redis.lpush("inspect", b"x" * 2_000_000)
    for _ in range(6):
        hand.turn()
    assert hand.redis.llen("inspect") == 0
    assert len(hand.held()) == 5


def test_what_is_larger_than_a_message_may_be_is_taken_unread(hand: Hand) -> None:
    most = get_settings().max_message_bytes
    (largest,) = _entries(1, body_encoding="base64")
    room = most - len(largest)
    fits = entry(b"x" * room, "1", properties={"delivery_tag": "fits"})
    too_large = entry(b"x" * (most + 200_000), "2", properties={"delivery_tag": "too-large"})
    hand.redis.lpush("inspect", fits, too_large)
    hand.channel._hand_over = lambda taken: None
    hand.turns(8)
    assert "fits" in hand.held()
    assert "too-large" not in hand.held()
    assert len([tag for tag in hand.held() if tag.startswith("unreadable-")]) == 1


@pytest.mark.usefixtures("_database")
def test_large_and_small_messages_are_taken_in_their_order_and_none_is_lost(hand: Hand) -> None:
    padded = [entry(b"[[], {}, {}]" + b" " * (400_000 if n % 3 else 0), str(n)) for n in range(24)]
    padded[5] = entry(b"[[], {}, {}]" + b" " * 1_700_000, "5")
    hand.redis.lpush("inspect", *padded)
    hand.turns(60)
    assert [m.headers["id"] for m in hand.taken] == [str(n) for n in range(24) if n != 5]
    assert len(hand.held()) == 23
    (letter,) = dead_letters.newest(default_engine())
    assert "LINEWATCH_MAX_MESSAGE_BYTES" in letter.detail
