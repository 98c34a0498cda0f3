"""Two retrains at once, and train workers that are killed in the middle of one."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from db.models import runs
from linewatch.services import Service
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.results import noted
from tests.acceptance.faults.trainer import (
    PRODUCT,
    ask_for_training,
    finished_run,
    judged_and_labelled,
)
from tests.acceptance.live import PATIENCE, Live, kill

pytestmark = pytest.mark.timeout(3600)

LEASE_S = 3.0


class Trainers:
    """Train workers whose runs can be held in the middle; each takes one message at a time."""

    def __init__(self, plant: Live, folder: Path) -> None:
        self._plant = plant
        self._folder = folder
        folder.mkdir()

    def start(self, name: str) -> Service:
        return self._plant.worker(
            name,
            queues="train",
            include="tests.acceptance.faults.held_training",
            LINEWATCH_TEST_HOLD=str(self._folder),
            LINEWATCH_WORKER_THREADS="1",
            LINEWATCH_TRAINING_LEASE_S=str(LEASE_S),
        )

    def hold(self) -> None:
        (self._folder / "hold").touch()

    def go_on(self) -> None:
        (self._folder / "hold").unlink()

    def busy(self) -> list[int]:
        """The processes that are in the middle of a run."""
        return [int(mark.name) for mark in self._folder.iterdir() if mark.name != "hold"]


def test_two_retrains_of_one_product_are_one_run(untrained_plant: Live, tmp_path: Path) -> None:
    plant = untrained_plant
    plant.worker()
    ids = judged_and_labelled(plant)
    trainers = Trainers(plant, tmp_path / "hold")
    logs = [trainers.start(name).log for name in ("a", "b")]
    rounds = times(short=2, long=5)
    for number in range(1, rounds + 1):
        trainers.hold()
        ask_for_training(plant, times=2)
        plant.until(lambda n=number: refusals(logs) == n, 30, "retrain that is refused")
        plant.until(lambda: len(trainers.busy()) == 1, 30, "training that is under way")
        time.sleep(LEASE_S * 1.5 if number == 1 else 0)  # a run that lives keeps its place
        assert len(runs.runs(plant.engine, PRODUCT)) == number
        trainers.go_on()
        assert finished_run(plant, number).state == "succeeded"
    plant.group.check()
    noted(plant, "two retrains of one product at once", rounds, check(plant, ids))


def test_a_train_worker_killed_in_the_middle(untrained_plant: Live, tmp_path: Path) -> None:
    """Its lease runs out, its run is marked failed, and the next retrain succeeds."""
    plant = untrained_plant
    plant.worker()
    ids = judged_and_labelled(plant)
    trainers = Trainers(plant, tmp_path / "hold")
    rounds = times(short=1, long=3)
    slowest_s = 0.0
    for number in range(rounds):
        dead, next_ = 2 * number + 1, 2 * number + 2
        doomed = trainers.start(f"doomed{number}")
        trainers.hold()
        ask_for_training(plant)
        plant.until(lambda: bool(trainers.busy()), 30, "training that is under way")
        kill(doomed)
        plant.group.services.remove(doomed)
        died = time.monotonic()
        for mark in trainers.busy():
            (tmp_path / "hold" / str(mark)).unlink()
        trainers.go_on()
        heir = trainers.start(f"heir{number}")  # its message comes back after the timeout
        lost = finished_run(plant, dead)
        assert (lost.state, lost.model_version) == ("failed", None)
        assert "its lease ran out" in (lost.error or "")
        assert finished_run(plant, next_).state == "succeeded"
        slowest_s = max(slowest_s, time.monotonic() - died)
        plant.until(lambda: plant.held() == 0, 10, "acknowledged request")
        heir.process.terminate()
        assert heir.process.wait(30 * PATIENCE) == 0
        plant.group.services.remove(heir)
    assert len(runs.runs(plant.engine, PRODUCT)) == 2 * rounds
    fault = "train worker SIGKILLed in the middle of training"
    noted(plant, fault, rounds, check(plant, ids), slowest_s)


def refusals(logs: list[Path]) -> int:
    return sum(log.read_text().count("is being retrained already") for log in logs)
