"""A worker whose consumer broke ends, even if something in it never does."""

from __future__ import annotations

import subprocess
import sys

CODE = """
import sys, threading
from workers import bootsteps
bootsteps.LONGEST_END_S = 0.2
step = bootsteps.PipelineStep(None)
if sys.argv[1] == "told":
    class Runtime:
        class pipeline:
            lost = False
            drain = staticmethod(lambda: None)
        stop = staticmethod(lambda: None)
    step.runtime = Runtime
    step._drain()
step.stop(None)
threading.Event().wait(2)  # what never ends
"""


def code_of(how: str) -> int:
    return subprocess.run([sys.executable, "-c", CODE, how], timeout=60, check=False).returncode


def test_a_broken_worker_is_ended() -> None:
    assert code_of("broken") == 75


def test_one_that_was_told_to_stop_takes_its_time() -> None:
    assert code_of("told") == 0
