"""The broker is away for long; then what waits in the spool is drained, in order."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select

from db.tables import Inspection
from linewatch.plant import environment
from linewatch.services import python_command
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.results import noted
from tests.acceptance.faults.wrong_clock import WrongClock
from tests.acceptance.live import Live
from tests.support.redis_server import RedisServer

pytestmark = pytest.mark.timeout(3600)


def test_a_backlog_is_drained_in_order(redis_plant: Live, private_redis: RedisServer) -> None:
    """What was submitted while the broker was away is sent in the order in which it was."""
    count = times(short=150, long=2_000)
    private_redis.stop()
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
            180,
            "an empty spool",
        )
        recover_s = time.monotonic() - began
    found = check(redis_plant, accepted)
    enqueued = _times_in_order(redis_plant, accepted, "enqueued_at")
    assert enqueued == sorted(enqueued), "a later picture was sent before an earlier one"
    noted(redis_plant, f"broker away, then {count} pictures drained in order", 1, found, recover_s)


HOUR_S = 3600
CAMERA = """
import sys
from producer.camera import Camera
pictures, bursts = sys.argv[2:], int(sys.argv[1])
with Camera("line-1", "away", "widget") as camera:
    for number in range(bursts):
        burst = [pictures[n % len(pictures)] for n in range(50)]
        print(*camera.submit_many(burst), flush=True)
        sys.stdin.readline()  # meanwhile the clock goes on
    assert camera.status().spool.queued == 50 * bursts, camera.status()
    print("all queued", flush=True)
    sys.stdin.readline()
    assert camera.wait(), camera.status()
"""


@pytest.mark.slow
def test_an_hour_without_a_broker_then_everything_in_order(
    redis_plant: Live, private_redis: RedisServer, tmp_path: Path
) -> None:
    """The camera's clock runs through an hour while it submits 20,000 pictures to its spool."""
    bursts = 400
    private_redis.stop()
    clock = WrongClock(tmp_path)
    clock.jump(-1)
    pictures = [str(redis_plant.picture(size=32)) for _ in range(4)]
    unbuffered = {"PYTHONUNBUFFERED": "1"}
    everything = {**os.environ, **environment(redis_plant.settings), **clock.env, **unbuffered}
    command = [*python_command("x")[:1], "-c", CAMERA, str(bursts), *pictures]
    accepted: list[UUID] = []
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=everything, **pipes) as camera:
        for number in range(1, bursts + 1):
            accepted += [UUID(word) for word in camera.stdout.readline().split()]
            clock.jump(number / bursts - 1)
            camera.stdin.write("\n")
            camera.stdin.flush()
        assert camera.stdout.readline() == "all queued\n"
        private_redis.start()
        began = time.monotonic()
        redis_plant.worker()
        camera.stdin.write("\n")
        camera.stdin.flush()
        assert camera.wait(timeout=3000) == 0
        recover_s = time.monotonic() - began
    assert len(accepted) == 50 * bursts
    found = check(redis_plant, accepted)
    captured = _times_in_order(redis_plant, accepted, "captured_at")
    assert captured == sorted(captured)
    assert (captured[-1] - captured[0]).total_seconds() > 0.99 * HOUR_S
    enqueued = _times_in_order(redis_plant, accepted, "enqueued_at")
    assert enqueued == sorted(enqueued), "a later picture was sent before an earlier one"
    what = f"broker away for a simulated hour, then {len(accepted)} pictures drained in order"
    noted(redis_plant, what, 1, found, recover_s)


def _times_in_order(plant: Live, ids: Sequence[UUID], column: str) -> list[datetime]:
    """Of each picture, in the order in which they were submitted."""
    with plant.engine.connect() as connection:
        query = select(Inspection.id, getattr(Inspection, column))
        rows = dict(connection.execute(query).all())
    return [rows[id_] for id_ in ids]
