"""A consumer on a private Redis, and a database for the dead letters."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from linewatch.settings import get_settings
from tests.support.fetching import Hand
from tests.support.redis_server import RedisServer


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
