"""A camera's PC whose clock is hours off, beside others whose clock is right."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis

from linewatch.doctor import clock_checks
from linewatch.doctor.findings import State
from linewatch.plant import environment
from linewatch.settings import Settings
from producer.clock_skew import CLOCKS, camera_clocks
from producer.contract import QUEUE
from producer.queue_state import enqueued
from tests.acceptance.faults.wrong_clock import WrongClock
from tests.integration.producer.test_back_pressure import stale

CAMERA = """
from producer.camera import Camera
with Camera("line-1", "cam-9", "cable") as camera:
    camera.submit("/a.png")
    assert camera.wait_sent(15), camera.status()
"""


@pytest.mark.parametrize("hours", [2.0, -2.0])
def test_a_clock_that_is_off_neither_holds_up_nor_ages_a_queue_and_is_told(
    redis_url: str, make_settings: Callable[..., Settings], tmp_path: Path, hours: float
) -> None:
    settings = make_settings(redis_url=redis_url, max_queue_age_s=60)
    clock = WrongClock(tmp_path)
    clock.jump(hours)
    everything = {**os.environ, **environment(settings), **clock.env}
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(QUEUE, stale(timedelta(seconds=5)))  # of a camera whose clock is right
        done = subprocess.run(
            [sys.executable, "-c", CAMERA], env=everything, capture_output=True, timeout=60
        )
        assert done.returncode == 0, done.stderr.decode()
        sent_at = enqueued(client.lindex(QUEUE, 0))
        (found,) = camera_clocks(client)
    assert sent_at is not None
    assert abs(datetime.now(UTC) - sent_at) < timedelta(seconds=30)
    assert (found.line, found.camera) == ("line-1", "cam-9")
    assert found.ahead_s == pytest.approx(hours * 3600, abs=2)
    (finding,) = clock_checks.of_cameras(settings)
    assert finding.state is State.WARN
    words = "ahead of" if hours > 0 else "behind"
    assert f" s {words} Redis" in finding.detail


def test_what_others_write_there_is_survived(
    redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    settings = make_settings(redis_url=redis_url)
    now = datetime.now(UTC).timestamp()
    right = {"line": "l", "camera": "c", "ahead_s": 0.1, "error_s": 0.01, "at": now}
    with redis.Redis.from_url(redis_url) as client:
        assert list(clock_checks.of_cameras(settings)) == []
        for number, text in enumerate(("", "[" * 9999, "[]", "{}", '{"at": NaN}', b"\xff")):
            client.hset(CLOCKS, f"p{number}", text)
        client.hset(CLOCKS, "old", json.dumps({**right, "ahead_s": 99, "at": now - 99999}))
        client.hset(CLOCKS, "pc-1", json.dumps(right))
    (finding,) = clock_checks.of_cameras(settings)
    assert finding.state is State.OK
    assert "PCs of 1 cameras" in finding.detail
