"""Disks that fill up: the camera's spool, the workers' SQLite file, the model store."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from db.models import deployments
from linewatch.errors import SpoolError
from producer.camera import Camera
from tests.acceptance.conftest import plant_settings
from tests.acceptance.faults.history import check
from tests.acceptance.faults.mode import times
from tests.acceptance.faults.results import noted
from tests.acceptance.faults.small_disk import SmallDisk, small_disk
from tests.acceptance.faults.stream import Stream
from tests.acceptance.faults.trained import Champion, trained_plant
from tests.acceptance.faults.trainer import (
    PRODUCT,
    ask_for_training,
    finished_run,
    judged_and_labelled,
    trained,
)
from tests.acceptance.live import PATIENCE, Live
from tests.support.committed import committed

pytestmark = pytest.mark.timeout(3600)


def test_a_spool_fills_its_disk(plant: Live) -> None:
    """`submit` says so; what it accepted before is judged, and then there is room again."""
    rounds = times(short=2, long=20)
    slowest_s = 0.0
    with small_disk(plant.settings.spool_folder, megabytes=2) as disk, plant.camera() as camera:
        accepted = submitted_until_refused(plant, camera)  # the spool alone filled the disk
        plant.worker()
        assert camera.wait(60 * PATIENCE), (
            "receipts do not clear a spool whose disk it filled itself"
        )
        for _ in range(rounds):
            disk.fill()
            accepted += submitted_until_refused(plant, camera)
            time.sleep(0.5)
            disk.free()
            began = time.monotonic()
            accepted += submitted(plant, camera)
            slowest_s = max(slowest_s, time.monotonic() - began)
        assert camera.wait(60 * PATIENCE), camera.status()
        found = check(plant, accepted)
    noted(plant, "spool on a full disk", rounds, found, slowest_s)


def submitted_until_refused(plant: Live, camera: Camera) -> list[UUID]:
    picture = plant.picture()  # one file for all: the disk is filled by its rows
    accepted: list[UUID] = []
    with pytest.raises(SpoolError) as refusal:  # noqa: PT012 - it fills until it is full
        while True:
            accepted.append(camera.submit(picture))
    sentence = str(refusal.value)
    assert str(camera.spool.path) in sentence
    assert "disk is full; make room" in sentence
    assert "\n" not in sentence
    return accepted


def submitted(plant: Live, camera: Camera) -> list[UUID]:
    picture = plant.picture()
    accepted: list[UUID] = []

    def taken() -> bool:
        try:
            accepted.append(camera.submit(picture))
        except SpoolError:
            return False
        return True

    plant.until(taken, 10, "room in the spool")
    return accepted


@pytest.fixture
def cramped(
    _sqlite_template: Path,
    redis_url: str,
    weights_dir: Path,
    tmp_path: Path,
    champion: Champion,
) -> Iterator[tuple[Live, SmallDisk]]:
    """A system whose SQLite file lies on a small disk."""
    with small_disk(tmp_path / "disk", megabytes=64) as disk:
        database = shutil.copy(_sqlite_template, disk.folder / "linewatch.db")
        settings = plant_settings(tmp_path, f"sqlite:///{database}", redis_url, weights_dir)
        for plant in trained_plant(settings, champion):
            yield plant, disk


def test_sqlite_fills_its_disk(cramped: tuple[Live, SmallDisk]) -> None:
    """The worker holds what it has judged, and goes on when there is room."""
    plant, disk = cramped
    rounds, length_s = times(short=1, long=5), times(short=1, long=15)
    slowest_s = 0.0
    log = plant.worker().log
    with Stream(plant, rate=40) as stream:
        plant.until(lambda: bool(plant.receipts), 30, "a first receipt")
        for _ in range(rounds):
            held = log.read_text().count("database away")
            disk.fill()
            plant.until(
                lambda n=held: log.read_text().count("database away") > n, 30, "worker that holds"
            )
            time.sleep(length_s)
            disk.free()
            began, seen = time.monotonic(), len(plant.receipts)
            plant.until(lambda n=seen: len(plant.receipts) > n, 30, "a receipt")
            slowest_s = max(slowest_s, time.monotonic() - began)
        stream.settle(timeout_s=180)
    assert "database or disk is full" in log.read_text()
    plant.group.check()  # it held; it did not die
    noted(plant, "SQLite on a full disk", rounds, check(plant, stream.accepted), slowest_s)


@pytest.mark.slow
def test_the_model_store_fills_or_turns_read_only(untrained_plant: Live) -> None:
    """The run fails and says why; the champion serves on; with room, the next one succeeds."""
    plant = untrained_plant
    folder = Path(plant.settings.models_url)
    with small_disk(folder, megabytes=64) as disk:
        plant.worker()
        plant.worker("t", queues="train")
        ids = judged_and_labelled(plant)
        champion = trained(plant)
        committed(plant.engine, deployments.promote, PRODUCT, champion, by="tester", why="test")
        rounds = times(short=1, long=3)
        slowest_s = 0.0
        with Stream(plant, rate=20) as stream:
            plant.until(lambda: served_by(plant, champion), 15, "verdict of the champion")
            since = len(stream.accepted)
            for number in range(rounds):
                first = 2 + 3 * number
                disk.fill()
                assert "No space left on device" in why_it_failed(plant, first)
                disk.free()
                disk.remount("ro")
                assert "Read-only file system" in why_it_failed(plant, first + 1)
                disk.remount("rw")
                began = time.monotonic()
                trained(plant, first + 2)
                slowest_s = max(slowest_s, time.monotonic() - began)
                assert served_by(plant, champion)
            stream.settle(timeout_s=60)
        assert list(folder.rglob(".draft-*")) == []
        found = check(plant, [*ids, *stream.accepted])
        after = plant.outcomes(stream.accepted[since:])
        assert {outcome.model_version for outcome in after.values()} == {champion}
    noted(plant, "model store full, then read-only, while retraining", rounds, found, slowest_s)


def why_it_failed(plant: Live, number: int) -> str:
    ask_for_training(plant)
    run = finished_run(plant, number)
    assert (run.state, run.model_version) == ("failed", None)
    return run.error or ""


def served_by(plant: Live, version: str) -> bool:
    """Whether the newest receipt names this version."""
    return bool(plant.receipts) and plant.receipts[-1].model_version == version
