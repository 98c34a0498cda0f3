"""Redis restarted, killed, emptied and full while pictures stream in. The spool makes it good."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis

from linewatch.services import python_command
from tests.acceptance.conftest import plant_settings
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.proxy import Proxy
from tests.acceptance.faults.results import noted
from tests.acceptance.faults.stream import Stream
from tests.acceptance.faults.trained import Champion, trained_plant
from tests.acceptance.live import Live
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.timeout(3600)

BACK_S = 30.0  # after which a line has verdicts again, see docs/promise.md

# How Redis keeps its data, by the name the results use.
PERSISTENCE = {
    "AOF always": {"appendonly": "yes", "appendfsync": "always"},
    "AOF everysec": {"appendonly": "yes", "appendfsync": "everysec"},
    "no persistence": {"appendonly": "no"},
}


@pytest.mark.parametrize(
    "persistence",
    [p if p == "no persistence" else pytest.param(p, marks=pytest.mark.slow) for p in PERSISTENCE],
)
def test_redis_restarts_under_load(
    redis_plant: Live, private_redis: RedisServer, persistence: str
) -> None:
    private_redis.restart(**PERSISTENCE[persistence])
    dice = random.Random(2)
    restarts = times(short=2, long=30)
    # Supervised, as in a plant: a worker may end when its Redis does.
    redis_plant.group.start(
        "supervised", python_command("linewatch", "worker", "--queues", "inspect", "--name", "s")
    )
    slowest_s = 0.0
    with Stream(redis_plant, rate=40) as stream:
        redis_plant.until(lambda: bool(redis_plant.receipts), 60, "a first receipt")
        for _ in range(restarts):
            time.sleep(dice.uniform(0.3, 1.5))
            private_redis.kill() if dice.random() < 0.5 else private_redis.stop()
            time.sleep(dice.uniform(0.0, 1.0))
            private_redis.start()
            began = time.monotonic()
            seen = len(redis_plant.receipts)
            redis_plant.until(lambda s=seen: len(redis_plant.receipts) > s, 90, "a receipt")
            slowest_s = max(slowest_s, time.monotonic() - began)
        recovery = replace(stream.settle(timeout_s=180), recover_s=slowest_s)
    found = check(redis_plant, stream.accepted)
    noted(redis_plant, f"Redis restart, {persistence}", restarts, found, recovery)


@pytest.mark.slow
def test_redis_is_full(redis_plant: Live, private_redis: RedisServer) -> None:
    """maxmemory with noeviction: Redis refuses, the spool keeps, nothing is forgotten."""
    client = private_redis.client()
    redis_plant.worker()
    with Stream(redis_plant, rate=40) as stream:
        redis_plant.until(lambda: bool(redis_plant.receipts), 60, "a first receipt")
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        time.sleep(20)
        assert stream.camera.status().spool.queued > 0
        client.config_set("maxmemory", "0")
        recovery = stream.settle(timeout_s=120)
    redis_plant.group.check()  # it lives: an acknowledgement needs no memory
    found = check(redis_plant, stream.accepted)
    noted(redis_plant, "Redis out of memory (noeviction)", 1, found, recovery)


@pytest.mark.slow
def test_connections_are_reset(redis_plant: Live, private_redis: RedisServer) -> None:
    """Redis closes every connection of workers and cameras, again and again."""
    client = private_redis.client()
    rounds = times(short=3, long=30)
    redis_plant.group.start(
        "supervised", python_command("linewatch", "worker", "--queues", "inspect", "--name", "s")
    )
    with Stream(redis_plant, rate=40) as stream:
        redis_plant.until(lambda: bool(redis_plant.receipts), 60, "a first receipt")
        for _ in range(rounds):
            time.sleep(0.5)
            client.client_kill_filter(_type="normal", skipme=True)
            client.client_kill_filter(_type="pubsub", skipme=True)
        recovery = stream.settle(timeout_s=180)
    found = check(redis_plant, stream.accepted)
    noted(redis_plant, "Redis connections reset", rounds, found, recovery)


@pytest.fixture
def cable(private_redis: RedisServer) -> Iterator[Proxy]:
    """The way to Redis, which can fall silent."""
    with Proxy("127.0.0.1", private_redis.port) as proxy:
        yield proxy


@pytest.fixture
def far_plant(
    database_url: str,
    weights_dir: Path,
    tmp_path: Path,
    cable: Proxy,
    private_redis: RedisServer,
    champion: Champion,
) -> Iterator[Live]:
    """A system whose Redis is at the far end of the cable; the test itself stands beside it."""
    url = f"redis://127.0.0.1:{cable.port}/0"
    settings = plant_settings(tmp_path, database_url, url, weights_dir)
    for plant in trained_plant(settings, champion):
        plant.redis = redis.Redis.from_url(private_redis.url)
        yield plant


@pytest.mark.slow
def test_connections_are_half_open(far_plant: Live, cable: Proxy) -> None:
    """Nobody is told that the connections are dead. Redis serves the ghosts a while longer."""
    rounds = 10
    far_plant.group.start(
        "supervised", python_command("linewatch", "worker", "--queues", "inspect", "--name", "s")
    )
    slowest_s = 0.0
    with Stream(far_plant, rate=20) as stream:
        far_plant.until(lambda: bool(far_plant.receipts), 60, "a first receipt")
        for _ in range(rounds):
            assert cable.silence() > 0
            seen, began = len(far_plant.receipts), time.monotonic()
            far_plant.until(lambda s=seen: len(far_plant.receipts) > s, 180, "a receipt")
            slowest_s = max(slowest_s, time.monotonic() - began)
            time.sleep(2)
        recovery = replace(stream.settle(timeout_s=300), recover_s=slowest_s)
    assert slowest_s <= BACK_S
    found = check(far_plant, stream.accepted)
    noted(far_plant, "Redis connections half-open", rounds, found, recovery)
