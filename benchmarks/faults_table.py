"""The tables in docs/promise.md, made from benchmarks/results/faults.json.

`python -m benchmarks.faults_table` prints them, `--update` writes them into the page, `--owed`
fails while a fault is not yet proved by a long run with shipped settings.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.faults_proof import owed

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "faults.json"
PAGE = ROOT / "docs" / "promise.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"
Row = Mapping[str, Any]

_HEAD = (
    "| fault | database | runs | accepted | lost | duplicated | recover_s | backlog | drained_s "
    "| commit |\n|---|---|---:|---:|---:|---:|---:|---:|---:|---|"
)
_FAILED_HEAD = """| fault | database | run | status | why | commit |
|---|---|---|---|---|---|"""


def results() -> list[dict[str, Any]]:
    """The rows of the last runs."""
    rows: list[dict[str, Any]] = json.loads(RESULTS.read_text())["rows"]
    return rows


def tables(rows: Sequence[Row]) -> str:
    """What failed, then a table for each way in which it was run, then what is still owed."""
    failed = [row for row in rows if row["status"] != "passed"]
    passed = sorted((row for row in rows if row["status"] == "passed"), key=_way)
    parts = [_failures(failed)] if failed else []
    parts += [_ran(way, list(alike)) for way, alike in groupby(passed, key=_way)]
    missing = [f"- {fault}: {runs}" for fault, runs in owed(rows).items()]
    if missing:
        told = "Not yet provoked by a long run with the settings that ship (runs, of those wanted):"
        parts.append("\n".join([told, "", *missing]))
    return "\n\n".join(parts)


def foreign(rows: Iterable[Row]) -> list[str]:
    """The commits of `rows` that are not among the ancestors of what is checked out.

    Raises:
        OSError, subprocess.CalledProcessError: there is no git, or no history.
    """
    git = ["git", "-C", str(ROOT)]
    subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True)  # is there one?
    return [
        commit
        for commit in sorted({row["commit"] for row in rows})
        if subprocess.run(
            [*git, "merge-base", "--is-ancestor", commit, "HEAD"], check=False, capture_output=True
        ).returncode
    ]


def is_shallow() -> bool:
    """Whether git has but the newest part of the history."""
    command = ["git", "-C", str(ROOT), "rev-parse", "--is-shallow-repository"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout == "true\n"


def updated(page: str) -> str:
    """`page` with the tables between its two markers made anew."""
    assert BEGIN in page
    assert END in page
    between = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return between.sub(lambda _: f"{BEGIN}\n{tables(results())}\n{END}", page, count=1)


def _way(row: Row) -> tuple[str, str]:
    settings = {k: v for k, v in row["settings"].items() if v != "none"}
    told = ", ".join(f"{_name(key)} {value}{_unit(key)}" for key, value in settings.items())
    no_model = "" if row["settings"].get("model") != "none" else ", no model"
    return row["mode"], f"{told}{no_model}" if told else "no plant"


def _ran(way: tuple[str, str], rows: Sequence[Row]) -> str:
    mode, settings = way
    accepted, lost = (sum(row[name] for row in rows) for name in ("accepted", "lost"))
    if accepted:  # the rule of three: none of n seen, so with 95 % confidence at most 3/n
        bound = f": fewer than 1 in {accepted // 3:,}, with 95 % confidence" if not lost else ""
        counted = f" Together {accepted:,} pictures accepted, {lost:,} lost{bound}."
    else:
        counted = ""
    lines = [f"**The {mode} run**, {settings}.{counted}", "", _HEAD]
    for row in sorted(rows, key=lambda row: (row["fault"], row["database"])):
        times = (row["recover_s"], row.get("backlog"), row.get("drained_s"))
        recovery = " | ".join("–" if number is None else f"{number:,}" for number in times)
        counts = (row["runs"], row["accepted"], row["lost"], row["duplicated"])
        numbers = " | ".join(f"{count:,}" for count in counts)
        about = f"{row['fault']} | {row['database']}"
        lines.append(f"| {about} | {numbers} | {recovery} | `{row['commit']}` |")
    return "\n".join(lines)


def _failures(rows: Sequence[Row]) -> str:
    lines = ["**Failed, or never ended.**", "", _FAILED_HEAD]
    for row in rows:
        why = str(row["problem"]).replace("|", "\\|")
        about = f"{row['fault']} | {row['database']} | {row['mode']} | **{row['status']}**"
        lines.append(f"| {about} | {why} | `{row['commit']}` |")
    return "\n".join(lines)


def _name(setting: str) -> str:
    return setting.removesuffix("_s").replace("_", " ")


def _unit(setting: str) -> str:
    return " s" if setting.endswith("_s") else ""


def main(arguments: list[str]) -> None:
    """Print the tables, update the page, or fail with what is owed."""
    if arguments == ["--update"]:
        PAGE.write_text(updated(PAGE.read_text()))
    elif arguments == ["--owed"]:
        missing = owed(results())
        sys.exit("\n".join(f"{fault}: {runs}" for fault, runs in missing.items()) or 0)
    else:
        print(tables(results()))


if __name__ == "__main__":
    main(sys.argv[1:])
