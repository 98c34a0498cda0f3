"""What a container's health check sees: not only the queue, but what workers hold."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import redis

from db.inspections.inspections import commit_inspections
from db.session import engine_for
from linewatch.doctor.health import stuck
from linewatch.settings import Settings
from tests.support.records import a_record


@pytest.fixture
def settings(make_settings: Callable[..., Settings], sqlite_url: str, redis_url: str) -> Settings:
    made = make_settings(redis_url=redis_url)
    assert made.sql_url == sqlite_url
    return made


def hold(settings: Settings, sent_s_ago: float) -> None:
    """As kombu notes a message that a worker has taken."""
    at = (datetime.now(UTC) - timedelta(seconds=sent_s_ago)).isoformat()
    body = base64.b64encode(json.dumps([[{"enqueued_at": at}], {}, {}]).encode()).decode()
    tag = str(uuid4())
    with redis.Redis.from_url(settings.redis_client_url) as client:
        client.hset("unacked", tag, json.dumps([{"body": body}, "", "inspect"]))
        client.zadd("unacked_index", {tag: 1.0})


def test_held_messages_are_not_healthy_for_ever(settings: Settings) -> None:
    assert stuck(settings) is None
    hold(settings, 30)
    assert stuck(settings) is None
    with redis.Redis.from_url(settings.redis_client_url) as client:
        client.hset("unacked", "odd", "!not JSON")
        client.zadd("unacked_index", {"odd": 1.0})
    hold(settings, 90)
    assert "workers hold messages that were sent 9" in (stuck(settings) or "")
    record = a_record(decided_at=datetime.now(UTC))
    commit_inspections(engine_for(settings.sql_url), [record], UTC)
    assert stuck(settings) is None  # a long message, but work gets done


def test_a_database_that_is_away_is_one_sentence(
    make_settings: Callable[..., Settings], redis_url: str
) -> None:
    made = make_settings(redis_url=redis_url, database_url="postgresql://nobody@127.0.0.1:1/none")
    hold(made, 90)
    said = stuck(made)
    assert said is not None
    assert said.startswith("no verdict can be committed: ")
    assert "\n" not in said
