"""`linewatch worker --device cpu,cpu`: a process a device, under one supervisor."""

from __future__ import annotations

import os
import signal
import socket
import urllib.error
import urllib.request
from contextlib import suppress
from functools import partial

import pytest

from linewatch.plant import environment
from linewatch.services import free_port, python_command
from tests.acceptance.live import Live, ids_of, message


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # which database it is makes no difference here


def two_free_ports() -> int:
    """A free port, with the next one free too: each process of a worker has the next."""
    while True:
        port = free_port()
        with suppress(OSError, OverflowError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port + 1))
            return port


def healthy(port: int) -> bool:
    """Whether a worker's page says so."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5) as page:
            return bool(page.status == 200)
    except urllib.error.URLError:
        return False


def test_one_process_a_device(plant: Live) -> None:
    port = two_free_ports()
    command = python_command("linewatch", "worker", "--queues", "inspect", "--name", "line")
    settings = {**environment(plant.settings), "LINEWATCH_METRICS_PORT": str(port)}
    service = plant.group.start("devices", [*command, "--device", "cpu,cpu"], settings)

    def log() -> str:
        return service.log.read_text()

    plant.until(lambda: log().count(" ready.") == 2, 120, "two workers")
    assert "line-0@" in log()
    assert "line-1@" in log()
    for place in range(2):
        plant.until(partial(healthy, port + place), 20, f"page {place}")
    payload = message(*(plant.picture() for _ in range(8)))
    plant.enqueue(payload)
    assert len(plant.wait_for(ids_of(payload))) == 8
    os.kill(service.process.pid, signal.SIGTERM)
    assert service.process.wait(timeout=60) == 0
    plant.group.services.remove(service)
