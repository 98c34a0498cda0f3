"""Two schedulers at once: each tick is sent once, and the second takes over when the first dies."""

from __future__ import annotations

import signal
import time

import pytest
from redbeat import RedBeatSchedulerEntry

from linewatch.services import Service, python_command
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.results import noted
from tests.acceptance.live import Live, kill
from tests.support.freezing import freeze
from workers.app import make_app
from workers.config import MAINTENANCE_QUEUE, MAINTENANCE_TASK

pytestmark = [pytest.mark.timeout(3600), pytest.mark.slow]

TICK_S = 1.0
BEAT_LOOP_S = 5.0  # beat_max_loop_interval


@pytest.fixture
def plant(untrained_plant: Live) -> Live:
    """No picture is judged here."""
    return untrained_plant


def test_two_beats_tick_as_one(plant: Live) -> None:
    """One of the two is killed, again and again; no worker runs, so every tick can be counted."""
    app = make_app(plant.settings)
    app.conf.redbeat_redis_url = plant.settings.redis_client_url
    RedBeatSchedulerEntry("tick", MAINTENANCE_TASK, TICK_S, app=app).save()
    beats = {name: beat(plant, name) for name in ("a", "b")}
    rounds = times(short=1, long=3)
    slowest_s = 0.0
    for number in range(rounds):
        leader = the_leader(plant, beats)
        count_ticks(plant, window_s=10)
        kill(beats[leader])
        plant.group.services.remove(beats.pop(leader))
        ticks, died = sent(plant), time.monotonic()
        limit_s = app.conf.redbeat_lock_timeout + BEAT_LOOP_S
        plant.until(lambda t=ticks: sent(plant) > t, limit_s, "tick of the other beat")
        slowest_s = max(slowest_s, time.monotonic() - died)
        count_ticks(plant, window_s=5)
        beats[f"c{number}"] = beat(plant, f"c{number}")
    plant.group.check()
    noted(plant, "two beats, one killed", rounds, check(plant, []), slowest_s)


def test_a_beat_that_was_frozen_does_not_double_ticks(plant: Live) -> None:
    """SIGSTOP past its lock's timeout: the other takes over; the first gives way when it wakes."""
    app = make_app(plant.settings)
    app.conf.redbeat_redis_url = plant.settings.redis_client_url
    RedBeatSchedulerEntry("tick", MAINTENANCE_TASK, TICK_S, app=app).save()
    beats = {name: beat(plant, name) for name in ("a", "b")}
    leader = beats[the_leader(plant, beats)]
    freeze(leader.process.pid)
    ticks, limit_s = sent(plant), app.conf.redbeat_lock_timeout + BEAT_LOOP_S
    plant.until(lambda: sent(plant) > ticks + 1, limit_s, "tick of the other beat")
    leader.process.send_signal(signal.SIGCONT)
    count_ticks(plant, window_s=10, extra=1)  # the one that it was about to send


def beat(plant: Live, name: str) -> Service:
    schedule = str(plant.settings.data_dir / f"{name}.schedule")
    arguments = ("-A", "workers", "beat", "-l", "INFO", "--pidfile=", "-s", schedule)
    return plant.group.start(name, python_command("celery", *arguments))


def the_leader(plant: Live, beats: dict[str, Service]) -> str:
    """The beat that holds the lock, once one does."""

    def leaders() -> list[str]:
        return [name for name, b in beats.items() if "Acquired lock" in b.log.read_text()]

    plant.until(lambda: len(leaders()) == 1, 60, "one beat that holds the lock")
    return leaders()[0]


def sent(plant: Live) -> int:
    return int(plant.redis.llen(MAINTENANCE_QUEUE))


def count_ticks(plant: Live, window_s: float, extra: int = 0) -> None:
    """As many ticks as one beat sends; two would send twice as many."""
    begun = sent(plant)
    plant.until(lambda: sent(plant) > begun, 10, "tick")
    before = sent(plant)
    time.sleep(window_s)
    ticks = sent(plant) - before
    assert 0.2 * window_s <= ticks <= window_s / TICK_S + 1 + extra
