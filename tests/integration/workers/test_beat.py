"""A real beat whose Redis goes away and comes back."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redbeat import RedBeatSchedulerEntry

from linewatch.settings import Settings
from tests.support.redis_server import RedisServer
from tests.support.waiting import until
from workers.app import make_app
from workers.config import MAINTENANCE_QUEUE, MAINTENANCE_TASK

AWAY_S = 3.5  # so that it tries again several times, once a second
LOOP_S = 5.0  # beat_max_loop_interval


@pytest.fixture
def beat_log(tmp_path: Path) -> Path:
    return tmp_path / "beat.log"


@pytest.fixture
def start(beat_log: Path) -> Iterator[Callable[[], subprocess.Popen[bytes]]]:
    """Starts `linewatch beat`, ended when the test is."""
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        with beat_log.open("ab") as output:
            command = [sys.executable, "-m", "linewatch", "beat"]
            started.append(subprocess.Popen(command, stdout=output, stderr=output))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait()


def lines(log: Path, words: str) -> int:
    return sum(words in line for line in log.read_text().splitlines())


def ticks(redis: RedisServer) -> int:
    with redis.client() as client:
        return int(client.llen(MAINTENANCE_QUEUE))


def every_second(settings: Settings) -> None:
    app = make_app(settings)
    app.conf.redbeat_redis_url = settings.redis_client_url
    RedBeatSchedulerEntry("tick", MAINTENANCE_TASK, 1.0, app=app).save()


@pytest.fixture
def ticking(
    private_redis: RedisServer,
    make_settings: Callable[..., Settings],
    start: Callable[[], subprocess.Popen[bytes]],
) -> RedisServer:
    """A Redis with a beat that has ticked, and does so every second."""
    every_second(make_settings(redis_url=private_redis.url))
    start()
    until(lambda: ticks(private_redis) > 0)
    return private_redis


def test_beat_waits_while_redis_is_away_and_ticks_again(
    private_redis: RedisServer,
    make_settings: Callable[..., Settings],
    start: Callable[[], subprocess.Popen[bytes]],
    beat_log: Path,
) -> None:
    every_second(make_settings(redis_url=private_redis.url))
    beat = start()
    until(lambda: ticks(private_redis) > 1)
    private_redis.stop()
    until(lambda: lines(beat_log, "Redis does not answer") == 1)
    away_until = time.monotonic() + AWAY_S
    while time.monotonic() < away_until:
        assert beat.poll() is None, beat_log.read_text()[-2000:]
        time.sleep(0.1)
    private_redis.start()
    before = ticks(private_redis)
    until(lambda: ticks(private_redis) > before + 1, 2 * LOOP_S + 10)
    assert beat.poll() is None
    text = beat_log.read_text()
    assert lines(beat_log, "Redis answers again") == 1
    assert lines(beat_log, "Redis does not answer") == 1
    assert "Traceback" not in text
    assert len(text.splitlines()) < 40


def test_beat_starts_without_redis_and_begins_when_it_comes(
    private_redis: RedisServer,
    make_settings: Callable[..., Settings],
    start: Callable[[], subprocess.Popen[bytes]],
    beat_log: Path,
) -> None:
    every_second(make_settings(redis_url=private_redis.url))
    private_redis.stop()
    beat = start()
    until(lambda: lines(beat_log, "Redis does not answer") == 1)
    private_redis.start()
    until(lambda: ticks(private_redis) > 1)
    private_redis.stop()
    until(lambda: lines(beat_log, "Redis does not answer") == 2)
    beat.send_signal(signal.SIGTERM)  # it can also end without Redis
    assert beat.wait(20) == 0
    assert "Traceback" not in beat_log.read_text()


def test_beat_takes_a_lost_lock_again(ticking: RedisServer, beat_log: Path) -> None:
    with ticking.client() as client:
        client.delete("redbeat::lock")
        until(lambda: lines(beat_log, "Acquired lock") == 2)
        assert client.exists("redbeat::lock")
    before = ticks(ticking)
    until(lambda: ticks(ticking) > before)


def test_beat_stores_its_schedule_again_in_a_redis_that_was_emptied(
    ticking: RedisServer, beat_log: Path
) -> None:
    """Or nothing would be retrained, purged or charted until somebody starts it anew."""
    with ticking.client() as client:
        own = set(client.zrange("redbeat::schedule", 0, -1)) - {"redbeat:tick"}
        assert own
        client.flushall()
        until(lambda: own <= set(client.zrange("redbeat::schedule", 0, -1)), 2 * LOOP_S + 10)
    until(lambda: lines(beat_log, "Acquired lock") == 2)
