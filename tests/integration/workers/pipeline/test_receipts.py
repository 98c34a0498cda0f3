"""Receipts, against a real Redis: producers that were invented do not fill it."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import uuid4

import pytest
import redis

from producer.contract import Receipt, Verdict, receipts_key
from tests.support.records import NOON
from workers.pipeline import receipts
from workers.pipeline.receipts import ReceiptWriter


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url, decode_responses=True) as client:
        yield client


def told(count: int = 1) -> list[Receipt]:
    return [Receipt(id=uuid4(), verdict=Verdict.PASS, decided_at=NOON) for _ in range(count)]


def lists(client: redis.Redis) -> dict[str, int]:
    keys = client.keys(receipts_key("*"))
    return {key.removeprefix(receipts_key("")): client.llen(key) for key in sorted(keys)}


def test_of_many_producers_the_one_answered_longest_ago_gives_way(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "MOST_PRODUCERS", 3)
    writer = ReceiptWriter(client)
    for name in ("camera", "a", "b", "camera", "c", "d"):
        writer.send([(name, receipt) for receipt in told()])
    assert lists(client) == {"camera": 2, "c": 1, "d": 1}
    writer.send([(name, told()[0]) for name in ("e", "f", "g", "h")])  # in one commit
    assert lists(client) == {"e": 1, "f": 1, "g": 1, "h": 1}
    writer.send([("camera", told()[0])])
    assert lists(client) == {"camera": 1, "g": 1, "h": 1}
    assert writer.unread == 1


def test_of_many_receipts_the_longest_list_gives_way(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receipts, "MOST_RECEIPTS", 100)
    monkeypatch.setattr(receipts, "KEEP_COUNT", 80)
    writer = ReceiptWriter(client)
    writer.send([("camera", receipt) for receipt in told(5)])
    writer.send([("invented", receipt) for receipt in told(90)])
    assert lists(client) == {"camera": 5, "invented": 80}
    writer.send([("other", receipt) for receipt in told(20)])
    assert lists(client) == {"camera": 5, "other": 20}
    assert writer.unsent == 0
