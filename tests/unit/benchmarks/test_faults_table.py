"""docs/promise.md shows what the fault runs found, where and how, and what they still owe."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from benchmarks import faults_table
from benchmarks.faults_proof import PROOF, owed, proves, shipped_times
from benchmarks.faults_table import PAGE, foreign, results, tables, updated

SHIPPED = {"visibility_timeout_s": 20, "redelivery_sweep_s": 3.0, "encoders": "compact"}


def a_row(**changes: Any) -> dict[str, Any]:
    counts = {"runs": 2000, "accepted": 30_000, "lost": 0, "duplicated": 0, "recover_s": None}
    state = {"status": "passed", "problem": None, "settings": SHIPPED, "mode": "long"}
    about = {"fault": "bad messages", "database": "sqlite", "commit": "abc1234"}
    return {**about, **counts, **state, **changes}


def test_the_page_is_current() -> None:
    page = PAGE.read_text()
    assert updated(page) == page, "run `python -m benchmarks.faults_table --update`"


def test_a_row_is_a_line_under_the_settings_it_was_run_with() -> None:
    back = {"recover_s": 1.5, "backlog": 1000, "drained_s": 42.0}
    rows = [
        a_row(),
        a_row(fault="f"),
        a_row(settings=SHIPPED | {"visibility_timeout_s": 6}, **back),
    ]
    text = tables(rows)
    assert "| f | sqlite | 2,000 | 30,000 | 0 | 0 | – | – | – | `abc1234` |" in text.splitlines()
    assert "| 0 | 0 | 1.5 | 1,000 | 42.0 | `abc1234` |" in text
    told = "**The long run**, visibility timeout 20 s, redelivery sweep 3.0 s, encoders compact."
    assert f"{told} Together 60,000 pictures accepted, 0 lost: fewer than 1 in 20,000" in text
    assert "visibility timeout 6 s" in text


def test_a_short_run_is_called_so() -> None:
    assert "**The short run**" in tables([a_row(mode="short")])


@pytest.mark.parametrize("status", ["failed", "unfinished"])
def test_what_did_not_pass_is_told_first_with_its_reason(status: str) -> None:
    counts = dict.fromkeys(("runs", "accepted", "lost", "duplicated", "recover_s"))
    bad = a_row(fault="f", status=status, problem="3 of 9 | lost", settings={}, **counts)
    text = tables([a_row(), bad])
    assert text.startswith("**Failed, or never ended.**")
    assert f"| f | sqlite | long | **{status}** | 3 of 9 \\| lost | `abc1234` |" in text
    assert text.count("| f |") == 1


def test_only_a_long_run_with_shipped_times_proves_anything() -> None:
    assert shipped_times() == {"visibility_timeout_s": 20, "redelivery_sweep_s": 3.0}
    assert "bad messages" not in owed([a_row()])
    others = (
        {"mode": "short"},
        {"status": "failed"},
        {"settings": SHIPPED | {"redelivery_sweep_s": 1.0}},
        {"runs": 49},
    )
    for change in others:
        assert owed([a_row(**change)])["bad messages"].endswith(" of 50")
    assert proves(a_row(settings={}))  # without a plant: no message came back in it


def test_what_is_owed_is_on_the_page() -> None:
    page, missing = PAGE.read_text(), owed(results())
    assert all(f"- {fault}: {runs}" in page for fault, runs in missing.items())
    assert missing.keys() <= PROOF.keys()


def test_owed_fails_while_something_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faults_table, "results", lambda: [a_row(runs=49)])
    with pytest.raises(SystemExit) as told:
        faults_table.main(["--owed"])
    assert "bad messages: 49 of 50" in str(told.value.code)
    enough = [a_row(fault=fault, runs=times) for fault, times in PROOF.items()]
    monkeypatch.setattr(faults_table, "results", lambda: enough)
    with pytest.raises(SystemExit) as told:
        faults_table.main(["--owed"])
    assert told.value.code == 0


def test_no_picture_was_lost_or_decided_twice() -> None:
    broken = [row for row in results() if row["lost"] or row["duplicated"]]
    assert broken == []


def test_nothing_failed() -> None:
    failed = {row["fault"]: row["problem"] for row in results() if row["status"] != "passed"}
    assert failed == {}


def test_each_row_is_of_code_that_is_in_the_history() -> None:
    try:
        strange = foreign(results())
        shallow = faults_table.is_shallow()
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no git history here: {error}")
    if shallow:
        pytest.skip("a shallow clone does not know all its ancestors")
    assert strange == []


def test_a_commit_of_another_history_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def git(*words: str) -> str:
        own = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false")
        command = ["git", "-C", str(tmp_path), *own, *words]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    def committed(message: str) -> str:
        git("commit", "--allow-empty", "-m", message)
        return git("rev-parse", "--short", "HEAD")

    git("init")
    first = committed("first")
    git("checkout", "-b", "aside")
    aside = committed("aside")
    git("checkout", "-b", "here", first)
    head = committed("head")
    monkeypatch.setattr(faults_table, "ROOT", tmp_path)
    strange = [aside, "1a7566f0000", "unknown", f"{head}+", ""]
    rows = [a_row(commit=commit) for commit in [first, head, *strange]]
    assert foreign(rows) == sorted(strange)
