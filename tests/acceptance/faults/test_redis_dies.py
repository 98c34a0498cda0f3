"""Redis restarted, killed, emptied and full while pictures stream in. The spool makes it good."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from linewatch.services import python_command
from tests.acceptance.conftest import plant_settings
from tests.acceptance.faults.history import check
from tests.acceptance.faults.results import Row, record, times
from tests.acceptance.faults.stream import Stream
from tests.acceptance.live import Live, live
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.timeout(3600)

# How Redis keeps its data, by the name the results use.
PERSISTENCE = {
    "AOF always": {"appendonly": "yes", "appendfsync": "always"},
    "AOF everysec": {"appendonly": "yes", "appendfsync": "everysec"},
    "no persistence": {"appendonly": "no"},
}


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
        stream.settle(timeout_s=180)
    found = check(redis_plant, stream.accepted)
    record(
        Row(
            f"Redis restart, {persistence}",
            "sqlite",
            restarts,
            found.accepted,
            found.lost,
            found.duplicated,
            round(slowest_s, 1),
        )
    )


def test_redis_is_full(redis_plant: Live, private_redis: RedisServer) -> None:
    """maxmemory with noeviction: Redis refuses, the spool keeps, nothing is forgotten."""
    client = private_redis.client()
    # Supervised: Celery's consumer ends when Redis refuses to note an acknowledgement.
    redis_plant.group.start(
        "supervised", python_command("linewatch", "worker", "--queues", "inspect", "--name", "s")
    )
    with Stream(redis_plant, rate=40) as stream:
        redis_plant.until(lambda: bool(redis_plant.receipts), 60, "a first receipt")
        client.config_set("maxmemory-policy", "noeviction")
        client.config_set("maxmemory", "1")
        time.sleep(times(short=3, long=20))
        assert stream.camera.status().spool.queued > 0
        client.config_set("maxmemory", "0")
        recover_s = stream.settle(timeout_s=120)
    found = check(redis_plant, stream.accepted)
    record(
        Row(
            "Redis out of memory (noeviction)",
            "sqlite",
            1,
            found.accepted,
            found.lost,
            found.duplicated,
            round(recover_s, 1),
        )
    )


@pytest.mark.slow
def test_half_open_connections(redis_plant: Live, private_redis: RedisServer) -> None:
    """Redis closes every connection of workers and cameras, again and again."""
    client = private_redis.client()
    rounds = times(short=3, long=30)
    redis_plant.group.start(
        "supervised", python_command("linewatch", "worker", "--queues", "inspect", "--name", "s")
    )
    with Stream(redis_plant, rate=40) as stream:
        redis_plant.until(lambda: bool(redis_plant.receipts), 60, "a first receipt")
        for _ in range(rounds):
            client.client_kill_filter(_type="normal", skipme=True)
            client.client_kill_filter(_type="pubsub", skipme=True)
            time.sleep(0.5)
        recover_s = stream.settle(timeout_s=180)
    found = check(redis_plant, stream.accepted)
    record(
        Row(
            "Redis connections reset",
            "sqlite",
            rounds,
            found.accepted,
            found.lost,
            found.duplicated,
            round(recover_s, 1),
        )
    )


def test_an_hour_without_a_broker_then_everything_in_order(
    redis_plant: Live, private_redis: RedisServer
) -> None:
    """A backlog in the spool is drained in the order in which it was submitted."""
    count = times(short=2_000, long=20_000)
    private_redis.stop()
    # A backlog this long is worked off for minutes: nobody should send it twice meanwhile.
    redis_plant.settings = redis_plant.settings.model_copy(update={"receipt_timeout_s": 600})
    pictures = [redis_plant.picture(size=32) for _ in range(4)]
    with redis_plant.camera() as camera:
        accepted = []
        for start in range(0, count, 50):
            burst = [pictures[n % 4] for n in range(start, start + 50)]
            accepted += camera.submit_many(burst)
        assert camera.status().spool.queued == count
        private_redis.start()
        began = time.monotonic()
        redis_plant.worker()
        redis_plant.until(
            lambda: camera.status().spool.pictures == 0,
            times(short=180, long=1800),
            "an empty spool",
        )
        recover_s = time.monotonic() - began
    found = check(redis_plant, accepted)
    enqueued = _enqueued_in_order(redis_plant, accepted)
    assert enqueued == sorted(enqueued), "a later picture was sent before an earlier one"
    record(
        Row(
            f"broker away, then {count} pictures drained in order",
            "sqlite",
            1,
            found.accepted,
            found.lost,
            found.duplicated,
            round(recover_s, 1),
        )
    )


def _enqueued_in_order(plant: Live, ids: list[object]) -> list[object]:
    """When each picture was enqueued, in the order in which they were submitted."""
    from sqlalchemy import select

    from db.tables import Inspection

    with plant.engine.connect() as connection:
        rows = dict(connection.execute(select(Inspection.id, Inspection.enqueued_at)).all())
    return [rows[id_] for id_ in ids]
