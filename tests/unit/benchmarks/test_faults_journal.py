"""A fault test's rows are those of its last run, however that ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.faults_table import ROOT
from tests.acceptance.faults import journal
from tests.acceptance.faults.parts import PARTS, part_of

TEST = "test_redis_dies.py::test_redis_is_full[sqlite]"
FAULTS = ROOT / "tests" / "acceptance" / "faults"


def a_run(**changes: Any) -> dict[str, Any]:
    usual = {"test": TEST, "part": "redis", "mode": "long", "commit": "new", "when": "now"}
    return usual | changes


def a_row(**changes: Any) -> dict[str, Any]:
    counts = {"runs": 9, "accepted": 99, "lost": 0, "duplicated": 0, "recover_s": 1.5}
    state = {"status": "passed", "problem": None, "settings": {"encoders": "compact"}}
    about = {"fault": "Redis full", "database": "sqlite", "seconds": 60}
    return {**about, **counts, **state, **a_run(commit="old"), **changes}


def found(**changes: Any) -> dict[str, Any]:
    own = a_row(**changes)
    return {name: own[name] for name in own if name not in (*a_run(), "status", "problem")}


OTHER = a_row(fault="another", test="test_redis_dies.py::test_another[sqlite]")


def test_a_test_that_begins_takes_its_old_rows_back() -> None:
    begun = next(r for r in journal.begun([a_row(), OTHER], a_run()) if r["test"] == TEST)
    assert (begun["fault"], begun["status"], begun["commit"]) == ("Redis full", "unfinished", "new")
    assert OTHER in journal.begun([a_row(), OTHER], a_run())
    (gone,) = journal.begun([a_row(backlog=9, drained_s=2.0)], a_run())
    assert gone.keys() == begun.keys()  # of what only some rows have nothing is left
    assert (begun["runs"], begun["lost"], begun["recover_s"]) == (None, None, None)


def test_what_failed_is_told_in_the_place_of_what_passed_before() -> None:
    rows = journal.ended([a_row(), OTHER], [], a_run(), "AssertionError: 3 lost")
    mine = [row for row in rows if row["test"] == TEST]
    assert [(r["fault"], r["status"], r["problem"]) for r in mine] == [
        ("Redis full", "failed", "AssertionError: 3 lost")
    ]
    assert (mine[0]["commit"], mine[0]["accepted"]) == ("new", None)
    assert OTHER in rows


def test_a_test_that_never_said_what_it_provokes_fails_under_its_own_name() -> None:
    (row,) = journal.ended([], [], a_run(), "TimeoutError")
    assert (row["fault"], row["database"]) == ("redis is full[sqlite]", "sqlite")
    (row,) = journal.ended([row], [found()], a_run(), None)
    assert (row["fault"], row["status"]) == ("Redis full", "passed")  # and the other name is gone


def test_one_fault_of_several_fails_and_the_others_keep_their_own() -> None:
    before = [a_row(fault="a"), a_row(fault="b")]
    rows = journal.ended(before, [found(fault="a")], a_run(), "boom")
    assert [(r["fault"], r["status"]) for r in rows] == [("a", "passed"), ("b", "failed")]
    rows = journal.ended(rows[:1], [found(fault="a")], a_run(), "it did not stop")
    assert [r["status"] for r in rows] == ["passed", "failed"]  # after its last row, unnamed


def test_a_fault_that_is_called_otherwise_now_leaves_no_old_row() -> None:
    rows = journal.ended(
        [a_row(fault="500 pictures")], [found(fault="600 pictures")], a_run(), None
    )
    assert [row["fault"] for row in rows] == ["600 pictures"]


def test_a_short_run_never_takes_the_place_of_a_long_one() -> None:
    short = a_run(mode="short")
    for rows in (
        journal.begun([a_row()], short),
        journal.ended([a_row()], [found()], short, None),
        journal.ended([a_row()], [], short, "boom"),
    ):
        assert a_row() in rows
        assert {row["mode"] for row in rows} == {"long", "short"}
    rows = journal.ended(rows, [found()], a_run(), None)
    assert [(row["mode"], row["status"]) for row in rows] == [("long", "passed")]


def test_what_passed_at_this_commit_need_not_run_again() -> None:
    rows = [
        a_row(test="old", commit="old"),
        a_row(test="short", commit="new", mode="short"),
        a_row(test="failed", commit="new", status="failed"),
        a_row(test="half", commit="new"),
        a_row(test="half", commit="new", status="unfinished"),
        a_row(test="done", commit="new"),
    ]
    assert journal.done(rows, "new") == {"done"}


def test_a_problem_is_one_line_without_this_machines_folders() -> None:
    said = "AssertionError: /tmp/pytest-of-me/x/data/logs/w.log has it\nassert 1 == 2"
    assert journal.told(said) == "AssertionError: …/w.log has it"
    assert len(journal.told("x" * 999)) < 250
    assert journal.told("\n")


def test_every_fault_test_is_in_one_part() -> None:
    names = [path.name for path in FAULTS.glob("test_*.py")]
    for name in names:
        tests = [line.split("(")[0][4:] for line in (FAULTS / name).read_text().splitlines()]
        for test in (t for t in tests if t.startswith("test_")):
            part_of(f"{name}::{test}[sqlite]")
    with pytest.raises(LookupError, match="must be in one part"):
        part_of("test_new.py::test_new")
    named = {test.partition("::")[0] for tests in PARTS.values() for test in tests}
    assert named == set(names)


CONFTEST = "from tests.acceptance.faults.conftest import *\n"
TESTS = """
import os, pytest
from tests.acceptance.faults.results import Row, record

@pytest.fixture
def broken(): raise OSError("no server in /tmp/somewhere/deep")

@pytest.fixture
def left_behind():
    yield
    raise RuntimeError("a process is left")

def noted(fault): record(Row(fault, "sqlite", 1, 10, 0, 0, None))
def test_passes(): noted("one"); noted("two")
def test_notes_nothing(): pass
def test_fails(): noted("three"); assert [1] == [], "1 of 10 accepted pictures have no row"
def test_cannot_begin(broken): pass
def test_leaves_something(left_behind): noted("four")
def test_is_skipped(): pytest.skip("no mount")
@pytest.mark.skip
def test_never_begins(): pass
def test_ends_the_process(): os._exit(1)
"""


def ran(folder: Path, results: Path, *names: str) -> list[tuple[str, str, str | None]]:
    """Run some of the tests above as fault tests; fault, status and problem of each row."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LINEWATCH_")}
    own = {"PYTHONPATH": str(ROOT), "LINEWATCH_FAULTS_RESULTS": str(results)}
    tests = [f"test_history.py::test_{name}" for name in names]
    subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=folder,
        env={**kept, **own},
        capture_output=True,
        check=False,
    )
    rows = json.loads(results.read_text())["rows"]
    return [(row["fault"], row["status"], row["problem"]) for row in rows]


def test_whatever_a_fault_test_raises_is_in_its_row(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (tmp_path / "test_history.py").write_text(TESTS)
    results = tmp_path / "faults.json"
    names = ["passes", "notes_nothing", "fails", "cannot_begin", "leaves_something", "is_skipped"]
    names += ["never_begins"]
    rows = {fault: rest for fault, *rest in ran(tmp_path, results, *names)}
    assert rows.pop("one") == rows.pop("two") == rows.pop("three") == ["passed", None]
    assert rows.pop("four") == ["passed", None]
    assert rows.pop("fails")[0] == "failed"
    assert rows.pop("cannot begin") == ["failed", "OSError: no server in …/deep"]
    assert rows.pop("leaves something") == ["failed", "RuntimeError: a process is left"]
    assert rows == {}
    before = len(json.loads(results.read_text())["rows"])
    after = ran(tmp_path, results, "ends_the_process")
    assert ("ends the process", "unfinished", "begun, and never ended") in after
    assert len(after) == before + 1
