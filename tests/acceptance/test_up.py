"""`linewatch up`: what dies comes back; what a person must mend ends it with a sentence."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from linewatch.plant import flower_answers, redis_answers
from linewatch.services import free_port
from linewatch.settings import Settings
from tests.support.waiting import until

pytestmark = [pytest.mark.timeout(300), pytest.mark.slow]
PROGRAMS = {
    "redis": "--unixsocket",
    "worker": "--queues train",
    "flower": "linewatch flower",
    "beat": "linewatch beat",
    "console": "linewatch console",
}


@pytest.fixture
def up(
    tmp_path: Path, make_settings: Callable[..., Settings]
) -> Iterator[tuple[subprocess.Popen[str], str]]:
    make_settings(image_roots=[tmp_path])
    port, pages = free_port(), free_port()
    with (tmp_path / "up.log").open("w") as output:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "linewatch", "up"),
                *("--flower-port", str(port), "--console-port", str(pages)),
            ],
            stdout=output,
            stderr=output,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1"},
        )
    yield process, f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGINT)
    try:
        process.wait(60)
    finally:
        process.kill()


def children(process: subprocess.Popen[str]) -> dict[str, int]:
    """What `up` runs, by the words of its command line."""
    found = {}
    for child in psutil.Process(process.pid).children():
        try:
            words = " ".join(child.cmdline())
        except psutil.Error:
            continue
        if child.is_running() and child.status() != psutil.STATUS_ZOMBIE:
            found |= {name: child.pid for name, part in PROGRAMS.items() if _is(part, words)}
    return found


def _is(part: str, words: str) -> bool:
    celery = {"linewatch flower": "workers flower", "linewatch beat": "workers beat"}
    if "redis" in words and part == "--unixsocket":
        return True  # it rewrites its command line
    return part in words or (part in celery and celery[part] in words)


def test_whatever_dies_comes_back(up: tuple[subprocess.Popen[str], str], tmp_path: Path) -> None:
    process, flower = up
    log = tmp_path / "up.log"
    until(lambda: "Ctrl-C stops" in log.read_text() or process.poll() is not None, 180)
    assert process.poll() is None, log.read_text()
    before = children(process)
    assert before.keys() == PROGRAMS.keys()
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    until(lambda: children(process).keys() == PROGRAMS.keys(), 60)
    assert not set(children(process).values()) & set(before.values())
    until(lambda: redis_answers(Settings(data_dir=tmp_path)), 60)
    until(lambda: flower_answers(flower), 60)
    assert process.poll() is None
    said = [line for line in log.read_text().splitlines() if "starts again" in line]
    for name in ("redis", "worker-train", "beat", "flower", "console"):
        assert sum(f" {name} ended with code -9" in line for line in said) == 1, said
