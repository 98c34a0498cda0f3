"""The supervisor, with real processes that end in every way."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.support.waiting import until
from workers.health.supervisor import Program, Supervisor

SCRIPT = """
import sys, time
from pathlib import Path
runs = Path(sys.argv[1]) / sys.argv[2]
runs.write_text(runs.read_text() + "x" if runs.exists() else "x")
if sys.argv[3] == "fail-once" and runs.read_text() == "x":
    sys.exit(75)
if sys.argv[3] == "mistake":
    sys.exit(2)
if sys.argv[3] == "stay":
    time.sleep(60)
"""


def program(folder: Path, name: str, how: str) -> Program:
    return Program(name, [sys.executable, "-c", SCRIPT, str(folder), name, how])


def text(path: Path) -> str:
    """What a program has written so far: a file that is there may still be empty."""
    return path.read_text() if path.exists() else ""


def test_the_one_that_fails_is_started_again_and_alone(tmp_path: Path) -> None:
    programs = [program(tmp_path, "a", "fail-once"), program(tmp_path, "b", "end")]
    handlers = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)}
    try:
        assert Supervisor(programs).run() == 0
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert (tmp_path / "a").read_text() == "xx"
    assert (tmp_path / "b").read_text() == "x"


def test_one_that_a_person_must_mend_is_not_started_again(tmp_path: Path) -> None:
    programs = [program(tmp_path, "a", "mistake"), program(tmp_path, "b", "end")]
    handlers = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)}
    try:
        assert Supervisor(programs).run() == 2
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    assert (tmp_path / "a").read_text() == "x"


def test_sigterm_ends_all_and_starts_none(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path;"
        "from tests.integration.workers.health.test_supervisor import program;"
        "from workers.health.supervisor import Supervisor;"
        f"folder = Path({str(tmp_path)!r});"
        "sys.exit(abs(Supervisor([program(folder, n, 'stay') for n in 'ab']).run()))"
    )
    root = Path(__file__).parents[3]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen([sys.executable, "-c", code], cwd=root, env=environment) as supervisor:
        until(lambda: [text(tmp_path / name) for name in "ab"] == ["x", "x"], 30)
        supervisor.send_signal(signal.SIGTERM)
        assert supervisor.wait(timeout=20) == signal.SIGTERM
    assert [text(tmp_path / name) for name in "ab"] == ["x", "x"]
