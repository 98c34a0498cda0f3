"""What becomes of the rows in benchmarks/results/faults.json while fault tests run. Pure.

A row is one fault on one database. It names the test it came from, so that the test's next run
takes the place of it whatever happens: at the test's begin its rows are marked unfinished, and they
stay so if the process dies; when it ends they are what it found, or say how it failed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Stored = dict[str, Any]

_COUNTS = ("runs", "accepted", "lost", "duplicated", "recover_s")
_MEASURED = ("memory_mb", "backlog", "drained_s")  # in some rows
_LONGEST_PROBLEM = 200
_UNFINISHED = "begun, and never ended"
_FOLDERS = re.compile(r"(?<![\w.])/(?:[^\s/'\":,]+/)+")


def begun(rows: Iterable[Stored], run: Mapping[str, Any]) -> list[Stored]:
    """The rows when a test begins: its own are unfinished from now on.

    Args:
        rows: all there are.
        run: what each row of this run bears: test, part, mode, commit and when.
    """
    others, old = _split(rows, run)
    return _sorted([*others, *(_unfinished(row, run) for row in old or [_unnamed(run)])])


def ended(
    before: Iterable[Stored], found: Sequence[Stored], run: Mapping[str, Any], problem: str | None
) -> list[Stored]:
    """The rows when a test has ended.

    Args:
        before: the rows as they were before it began.
        found: what it noted, each with at least fault and database.
        run: as for `begun`.
        problem: why it failed; None if it passed.
    """
    others, old = _split(before, run)
    new = [{**row, **run, "status": "passed", "problem": None} for row in found]
    if problem is not None:
        keys = {_key(row) for row in new}
        silent = [row for row in old if _key(row) not in keys] or [_unnamed(run)]
        new += [{**_unfinished(row, run), "status": "failed", "problem": problem} for row in silent]
    keys = {_key(row) for row in new}
    return _sorted([*(row for row in others if not _superseded(row, keys, run)), *new])


def told(problem: str) -> str:
    """The first sentence of a failure, without the folders of the machine that it happened on."""
    lines = [line.strip() for line in problem.splitlines() if line.strip()]
    first = _FOLDERS.sub("…/", lines[0]) if lines else "it failed, and did not say why"
    return first if len(first) <= _LONGEST_PROBLEM else f"{first[:_LONGEST_PROBLEM]}…"


def done(rows: Iterable[Stored], commit: str) -> set[str]:
    """The tests that have passed in the long run of this very commit, and need not run again."""
    mine = [row for row in rows if row.get("mode") == "long" and row.get("commit") == commit]
    bad = {row["test"] for row in mine if row["status"] != "passed"}
    return {row["test"] for row in mine} - bad


def _split(rows: Iterable[Stored], run: Mapping[str, Any]) -> tuple[list[Stored], list[Stored]]:
    """Rows of others, and those that this run's test left before; a long run replaces both."""
    others: list[Stored] = []
    old: dict[tuple[str, str], Stored] = {}
    for row in rows:
        if row.get("test") == run["test"] and run["mode"] in (row["mode"], "long"):
            old[_key(row)] = row
        else:
            others.append(row)
    return others, list(old.values())


def _superseded(row: Stored, keys: set[tuple[str, str]], run: Mapping[str, Any]) -> bool:
    """Whether a row of another test, as after a test was renamed, is about the same fault."""
    return _key(row) in keys and (row["mode"] == run["mode"] or run["mode"] == "long")


def _unfinished(row: Stored, run: Mapping[str, Any]) -> Stored:
    state: Stored = {"status": "unfinished", "problem": _UNFINISHED}
    state |= {"settings": {}, "seconds": None}
    known = {name: value for name, value in row.items() if name not in _MEASURED}
    return {**known, **dict.fromkeys(_COUNTS), **run, **state}


def _unnamed(run: Mapping[str, Any]) -> Stored:
    """A row of a test that never came so far as to say what it provoked."""
    name = str(run["test"]).rpartition("::")[2].removeprefix("test_").replace("_", " ")
    database = re.search(r"postgresql|sqlite", name)
    return {"fault": name, "database": database[0] if database else "none"}


def _key(row: Mapping[str, Any]) -> tuple[str, str]:
    return row["fault"], row["database"]


def _sorted(rows: Iterable[Stored]) -> list[Stored]:
    return sorted(rows, key=lambda row: (row["fault"], row["database"], row["mode"]))
