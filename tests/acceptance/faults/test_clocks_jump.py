"""Workers and cameras whose clock is hours ahead or behind, and jumps while they work."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from uuid import UUID

import pytest

from linewatch.plant import environment
from linewatch.services import Service, python_command
from producer.contract import Verdict
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.results import noted
from tests.acceptance.faults.stream import Stream
from tests.acceptance.faults.wrong_clock import WrongClock
from tests.acceptance.live import Live, kill

pytestmark = [pytest.mark.timeout(3600), pytest.mark.slow]

OFFSETS = [2.0, -2.0]  # hours


def worker_of(plant: Live, clock: WrongClock, name: str) -> Service:
    """A worker started by its own command: what is loaded into it cannot be forked."""
    arguments = ["-A", "workers", "worker", "-Q", "inspect", "-n", f"{name}@%h", "-l", "INFO"]
    arguments += ["--without-gossip", "--without-mingle"]
    service = plant.group.start(name, python_command("celery", *arguments), clock.env)
    plant.group.wait_until(name, lambda: " ready." in service.log.read_text(), 270)
    return service


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_worker_whose_clock_is_wrong_dies(plant: Live, tmp_path: Path, offset: float) -> None:
    """What it held comes back as soon as that of any other, and nothing before its time."""
    clock = WrongClock(tmp_path)
    clock.jump(offset)
    rounds = times(short=1, long=2)
    slowest_s = 0.0
    with Stream(plant, rate=40) as stream:
        for number in range(rounds):
            wrong = worker_of(plant, clock, f"wrong{number}")
            plant.until(lambda: plant.held() > 0, 30, "messages in the worker's hands")
            kill(wrong)
            plant.group.services.remove(wrong)
            died = time.monotonic()
            held = set(plant.redis.hkeys("unacked"))
            assert held
            right = plant.worker(f"right{number}")
            plant.until(lambda h=held: not h & set(plant.redis.hkeys("unacked")), 30, "redelivery")
            slowest_s = max(slowest_s, time.monotonic() - died)
            kill(right)
            plant.group.services.remove(right)
        plant.worker("last")
        stream.settle(timeout_s=120)
    found = check(plant, stream.accepted)
    noted(plant, f"worker with its clock {offset:+g} h off SIGKILLed", rounds, found, slowest_s)


def test_a_workers_clock_jumps_beside_another(plant: Live, tmp_path: Path) -> None:
    """Neither takes the other's messages for abandoned ones: no picture comes under suspicion."""
    clock = WrongClock(tmp_path)
    worker_of(plant, clock, "wrong")
    plant.worker("right")
    rounds = times(short=1, long=2)
    with Stream(plant, rate=30) as stream:
        for _ in range(rounds):
            for offset in [*OFFSETS, 0.0]:
                clock.jump(offset)
                time.sleep(6)
        recovery = stream.settle(timeout_s=60)
    plant.group.check()
    found = check(plant, stream.accepted)
    outcomes = plant.outcomes(stream.accepted)
    assert Verdict.DEAD_LETTER not in {outcome.verdict for outcome in outcomes.values()}
    noted(plant, "clock of one of two workers jumps by hours", 3 * rounds, found, recovery)


PRODUCER = """
import sys, time
from producer.camera import Camera
with Camera("line-1", "wrong", "widget") as camera:
    for _ in range(int(sys.argv[2])):
        print(camera.submit(sys.argv[1]), flush=True)
        time.sleep(0.05)
    assert camera.wait(180), camera.status()
"""


@pytest.mark.parametrize("offset", OFFSETS)
def test_a_camera_whose_clock_jumps(plant: Live, tmp_path: Path, offset: float) -> None:
    """Beside a camera whose clock is right, with a worker that is away for a while."""
    clock = WrongClock(tmp_path)
    first = plant.worker("first")
    command = [*python_command("x")[:1], "-c", PRODUCER, str(plant.picture(size=64)), "200"]
    everything = {**os.environ, **environment(plant.settings), **clock.env}
    with Stream(plant, rate=20) as stream:
        camera = subprocess.Popen(
            command, env=everything, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        time.sleep(4)
        clock.jump(offset)
        kill(first)  # its pictures have to be sent again, by the clock that jumped
        plant.group.services.remove(first)
        plant.worker("second")
        began = time.monotonic()
        output, trouble = camera.communicate(timeout=300)
        recover_s = time.monotonic() - began
        assert camera.returncode == 0, trouble
        stream.settle(timeout_s=60)
    accepted = [UUID(line) for line in output.split()]
    assert len(accepted) == 200
    found = check(plant, [*accepted, *stream.accepted])
    noted(plant, f"clock of a camera jumps by {offset:+g} h", 1, found, recover_s)
