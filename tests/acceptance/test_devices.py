"""`linewatch worker --device cpu,cpu`: a process a device, under one supervisor."""

from __future__ import annotations

import os
import signal
import urllib.request

import pytest

from linewatch.plant import environment
from linewatch.services import free_port, python_command
from tests.acceptance.live import Live, ids_of, message


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # which database it is makes no difference here


def test_one_process_a_device(plant: Live) -> None:
    port = free_port()
    command = python_command("linewatch", "worker", "--queues", "inspect", "--name", "line")
    settings = {**environment(plant.settings), "LINEWATCH_METRICS_PORT": str(port)}
    service = plant.group.start("devices", [*command, "--device", "cpu,cpu"], settings)

    def log() -> str:
        return service.log.read_text()

    plant.until(lambda: log().count(" ready.") == 2, 120, "two workers")
    assert "line-0@" in log()
    assert "line-1@" in log()
    for place in range(2):
        with urllib.request.urlopen(f"http://127.0.0.1:{port + place}/healthz", timeout=5) as page:
            assert page.status == 200
    payload = message(*(plant.picture() for _ in range(8)))
    plant.enqueue(payload)
    assert len(plant.wait_for(ids_of(payload))) == 8
    os.kill(service.process.pid, signal.SIGTERM)
    assert service.process.wait(timeout=60) == 0
    plant.group.services.remove(service)
