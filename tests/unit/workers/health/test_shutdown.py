"""A worker that cannot end by itself is ended, with the code that its supervisor must see."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor
from workers import bootsteps
bootsteps.LONGEST_END_S = bootsteps.LONGEST_REST_S = 0.2
how = sys.argv[1].split("-")
class Runtime:
    class pipeline:
        lost = "lost" in how
        drain = staticmethod(lambda: None)
    hangs = "hanging" in how
    stop = staticmethod(lambda: None)
    unread = []
    class suspects:
        acquit = staticmethod(lambda ids: None)
class Worker:
    exitcode = 0 if "remotely" in how else 1
    class pool:
        executor = ThreadPoolExecutor(1)
Worker.pool.executor.submit(threading.Event().wait, 2)
step = bootsteps.PipelineStep(None)
if "broken" not in how:
    step.runtime = Runtime
    if "remotely" not in how:
        step._drain()
step.stop(Worker)
if "hanging" in how:
    Worker.pool.executor.shutdown()  # as Celery does next: it must not wait
threading.Event().wait(2)  # what never ends
sys.exit(99)
"""
BY_ITSELF = 99


def code_of(how: str) -> int:
    return subprocess.run([sys.executable, "-c", CODE, how], timeout=60, check=False).returncode


def test_a_broken_worker_is_ended() -> None:
    assert code_of("broken") == 75


def test_one_that_was_told_to_stop_takes_its_time() -> None:
    assert code_of("told") == BY_ITSELF


def test_one_that_was_told_to_stop_and_hangs_is_ended_and_not_started_again() -> None:
    assert code_of("told-hanging") == 0
    assert code_of("told-remotely-hanging") == 0


def test_one_that_hangs_and_has_lost_its_device_is_started_again() -> None:
    assert code_of("lost-hanging") == 75
