"""A queue that is too long or too old keeps pictures in the spool, and a backlog has an order."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import redis

from linewatch.settings import Settings
from producer.camera import Camera
from producer.contract import QUEUE
from producer.queue_state import queue_state
from tests.support.judge import Judge
from tests.support.redis_server import RedisServer
from tests.support.waiting import until

MakeSettings = Callable[..., Settings]


def stale(age: timedelta) -> str:
    """A queued message that says it was sent `age` ago."""
    payload = {"enqueued_at": (datetime.now(UTC) - age).isoformat()}
    body = base64.b64encode(json.dumps([[payload], {}, {}]).encode()).decode()
    return json.dumps({"body": body})


def test_an_old_queue_keeps_pictures_until_it_is_worked_off(
    redis_url: str, make_settings: MakeSettings
) -> None:
    settings = make_settings(redis_url=redis_url, max_queue_age_s=5)
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(QUEUE, stale(timedelta(seconds=60)))
        state = queue_state(client)
        assert state.depth == 1
        assert state.oldest_age_s == pytest.approx(60, abs=5)
        with Camera("line-1", "cam-2", "cable", settings=settings) as source:
            source.submit("/a.png")
            until(lambda: source.status().sender.queue_full)
            assert (client.llen(QUEUE), source.status().spool.queued) == (1, 1)
            client.rpop(QUEUE)
            until(lambda: int(client.llen(QUEUE)) == 1)  # ours
            assert source.wait_sent(20)
            assert (queue_state(client).oldest_age_s or 0) < 5


@pytest.mark.parametrize("oldest", [lambda: "garbage", lambda: stale(timedelta(seconds=1))])
def test_a_young_queue_or_one_that_does_not_tell_is_sent_to(
    redis_url: str, make_settings: MakeSettings, oldest: Callable[[], str]
) -> None:
    settings = make_settings(redis_url=redis_url, max_queue_age_s=30)
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(QUEUE, oldest())
        with Camera("line-1", "cam-2", "cable", settings=settings) as source:
            source.submit("/a.png")
            assert source.wait_sent(20)


def test_a_user_who_may_not_look_has_no_age(private_redis: RedisServer) -> None:
    with private_redis.client() as admin:
        admin.lpush(QUEUE, stale(timedelta(seconds=9)))
        rules = ("on", ">x", "~inspect", "+ping", "+llen")
        admin.execute_command("ACL", "SETUSER", "old", "reset", *rules)
    url = private_redis.url.replace("redis://", "redis://old:x@")
    with redis.Redis.from_url(url) as client:
        assert (queue_state(client).depth, queue_state(client).oldest_age_s) == (1, None)


@pytest.mark.parametrize(("order", "reverse"), [("fifo", False), ("newest-first", True)])
def test_a_backlog_is_sent_in_the_order_that_is_set(
    private_redis: RedisServer, make_settings: MakeSettings, order: str, reverse: bool
) -> None:
    private_redis.stop()
    settings = make_settings(redis_url=private_redis.url, spool_order=order, images_per_message=4)
    with Camera("line-1", "cam-2", "cable", settings=settings) as source:
        ids = [str(source.submit(f"/{i}.png")) for i in range(30)]
        private_redis.start()
        with Judge(private_redis.url) as judge:
            assert source.wait(30)
    assert judge.pictures == (ids[::-1] if reverse else ids)
