"""Tests in several processes: what is made once, and what each has of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.once import made_once
from tests.support.parallel import own_redis_database

ROOT = Path(__file__).parents[2]

TESTS = """
import os, time
import pytest
from tests.support.once import made_once

@pytest.mark.parametrize("number", range(4))
def test_it(tmp_path_factory, number):
    def make(folder):
        time.sleep(0.5)  # long enough for the others to come
        with open(os.environ["MADE"], "a") as made:
            made.write("made by " + os.environ["PYTEST_XDIST_WORKER"] + chr(10))
        (folder / "file").write_text("whole")

    assert (made_once(tmp_path_factory, "thing", make) / "file").read_text() == "whole"
    with open(os.environ["MADE"] + "-run", "a") as run:
        run.write(os.environ["PYTEST_XDIST_WORKER"] + " " + os.environ["OMP_NUM_THREADS"] + chr(10))
"""
CONFTEST = "from tests.support.parallel import share_the_cores; share_the_cores()\n"


def test_two_processes_make_it_once_and_share_the_cores(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_it.py").write_text(TESTS)
    made = tmp_path / "made"
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST_", "OMP_"))}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "2", "--basetemp", tmp_path / "temp"],
        cwd=tmp_path,
        env={**kept, "PYTHONPATH": str(ROOT), "MADE": str(made)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "4 passed" in done.stdout, done.stdout
    assert len(made.read_text().splitlines()) == 1
    threads = max(1, (os.cpu_count() or 1) // 2)
    ran = set(Path(f"{made}-run").read_text().splitlines())
    assert ran == {f"gw0 {threads}", f"gw1 {threads}"}


def test_what_could_not_be_made_is_made_anew(tmp_path_factory: pytest.TempPathFactory) -> None:
    def half(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("no room")

    name = f"thing-{os.getpid()}"
    with pytest.raises(OSError, match="no room"):
        made_once(tmp_path_factory, name, half)
    folder = made_once(tmp_path_factory, name, lambda made: (made / "whole").touch())
    assert {path.name for path in folder.iterdir()} == {".finished", "whole"}


@pytest.mark.parametrize(
    ("process", "named", "own"),
    [
        (None, "redis://h:1", "redis://h:1/0"),
        ("gw0", "redis://h:1/3", "redis://h:1/3"),
        ("gw1", "redis://:pw@h:1/3", "redis://:pw@h:1/4"),
    ],
)
def test_each_process_has_a_redis_database(
    monkeypatch: pytest.MonkeyPatch, process: str | None, named: str, own: str
) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)
    if process:
        monkeypatch.setenv("PYTEST_XDIST_WORKER", process)
    assert own_redis_database(named) == own


def test_there_are_no_more_than_redis_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw15")
    with pytest.raises(RuntimeError, match="no database 16; run fewer processes"):
        own_redis_database("redis://h/1")
