"""The short run takes SQLite where the database makes no difference; the long one takes both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.acceptance.conftest import plant_settings
from tests.acceptance.live import Live, live
from tests.support.redis_server import RedisServer


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest) -> str:
    """A migrated database."""
    url: str = request.getfixturevalue(f"{request.param}_url")
    return url


@pytest.fixture
def redis_plant(
    sqlite_url: str,
    weights_dir: Path,
    tmp_path: Path,
    private_redis: RedisServer,
    _environment: pytest.MonkeyPatch,
) -> Iterator[Live]:
    """A system whose Redis is the test's to break. Cameras resend after two seconds."""
    settings = plant_settings(tmp_path, sqlite_url, private_redis.url, weights_dir)
    yield from live(settings.model_copy(update={"receipt_timeout_s": 2.0}))
