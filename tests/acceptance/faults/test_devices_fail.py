"""A device that disappears, and one that has too little memory."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.faults.history import check
from tests.acceptance.faults.results import noted
from tests.acceptance.live import Live, ids_of, message

INCLUDE = "tests.acceptance.faults.device_failing"


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("CUDA", "CUDA error: unspecified launch failure"),
        ("OpenVINO", "[GPU] clWaitForEvents, error code: -14 CL_DEVICE_NOT_AVAILABLE"),
    ],
    ids=["cuda", "openvino"],
)
def test_a_worker_whose_device_is_lost_ends_and_loses_nothing(
    plant: Live, tmp_path: Path, name: str, says: str
) -> None:
    flag = tmp_path / "lost"
    environment = {
        "LINEWATCH_TEST_DEVICE_FLAG": str(flag),
        "LINEWATCH_TEST_DEVICE_FROM": "1",
        "LINEWATCH_TEST_DEVICE_SAYS": says,
    }
    worker = plant.worker("lost", include=INCLUDE, **environment)
    messages = [message(*(plant.picture() for _ in range(3))) for _ in range(4)]
    for payload in messages:
        plant.enqueue(payload)
    plant.until(flag.exists, 30, "failing device")
    assert worker.process.wait(timeout=20) == 75  # non-zero: a supervisor starts the next
    plant.group.services.remove(worker)
    assert "the device is lost" in worker.log.read_text()
    plant.until(lambda: plant.waiting() == len(messages), 10, "messages back in the queue")
    ids = [id_ for payload in messages for id_ in ids_of(payload)]
    plant.worker("next", include=INCLUDE, **environment)
    outcomes = plant.wait_for(ids)
    assert {outcome.model_version for outcome in outcomes.values()} == {plant.champion}
    plant.until(lambda: plant.held() == plant.waiting() == 0, 30, "acknowledged messages")
    noted(plant, f"worker whose device is lost, {name}", 1, check(plant, ids))


def test_too_little_memory_costs_no_picture(plant: Live, tmp_path: Path) -> None:
    flag = tmp_path / "full"
    worker = plant.worker(
        "full",
        include=INCLUDE,
        LINEWATCH_TEST_DEVICE_FLAG=str(flag),
        LINEWATCH_TEST_DEVICE_FROM="4",
        LINEWATCH_TEST_DEVICE_SAYS="CUDA out of memory. Tried to allocate 2.00 GiB.",
    )
    payload = message(*(plant.picture() for _ in range(24)))
    plant.enqueue(payload)
    outcomes = plant.wait_for(ids_of(payload))
    assert {outcome.model_version for outcome in outcomes.values()} == {plant.champion}
    assert flag.exists()
    assert "no room on the device for" in worker.log.read_text()
    assert worker.process.poll() is None
    plant.until(lambda: plant.held() == 0, 10, "acknowledged message")
    noted(plant, "device with too little memory for a batch", 1, check(plant, ids_of(payload)))
