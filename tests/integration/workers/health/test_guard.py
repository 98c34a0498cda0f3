"""A worker that does nothing while there is work is ended by its guard: a real process."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from workers.health.shutdown import EXIT_CODE

PROGRAM = """
import sys, time
from workers.health.guard import Guard
from workers.health.watchdog import Vitals

def vitals():
    if sys.argv[1] == "away":
        raise ConnectionError("Redis is away")
    return Vitals(waiting=1, received=0, in_flight=0, finished=0, holding=sys.argv[1] == "holding")

guard = Guard(vitals, patience_s=0.4)
guard.start()
time.sleep(1.2)
print(guard.complaint)
"""


@pytest.mark.parametrize(
    ("state", "code"), [("idle hands", EXIT_CODE), ("holding", 0), ("away", 0)]
)
def test_only_a_worker_with_work_that_does_nothing_is_ended(state: str, code: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, state],
        cwd=Path(__file__).parents[3],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    assert ("1 messages wait and none was received" in done.stderr) == (code != 0)
