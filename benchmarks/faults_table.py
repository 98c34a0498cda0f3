"""The table in docs/promise.md, made from benchmarks/results/faults.json.

`python -m benchmarks.faults_table` prints it; `--update` writes it into the page.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "faults.json"
PAGE = ROOT / "docs" / "promise.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


def results() -> list[dict[str, Any]]:
    """The rows of the last long run."""
    rows: list[dict[str, Any]] = json.loads(RESULTS.read_text())["rows"]
    return rows


def table(rows: Iterable[dict[str, Any]]) -> str:
    """A Markdown table with a row for every fault and database."""
    lines = [
        "| fault | database | runs | accepted | lost | duplicated | recover_s |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for row in sorted(rows, key=lambda row: (row["fault"], row["database"])):
        recover = "–" if row["recover_s"] is None else row["recover_s"]
        counts = (row["runs"], row["accepted"], row["lost"], row["duplicated"])
        numbers = " | ".join(f"{count:,}" for count in counts)
        lines.append(f"| {row['fault']} | {row['database']} | {numbers} | {recover} |")
    return "\n".join(lines)


def updated(page: str) -> str:
    """`page` with the table between its two markers made anew."""
    assert BEGIN in page
    assert END in page
    between = re.compile(f"{re.escape(BEGIN)}.*?{re.escape(END)}", re.DOTALL)
    return between.sub(lambda _: f"{BEGIN}\n{table(results())}\n{END}", page, count=1)


def main(arguments: list[str]) -> None:
    """Print the table, or update the page."""
    if arguments == ["--update"]:
        PAGE.write_text(updated(PAGE.read_text()))
    else:
        print(table(results()))


if __name__ == "__main__":
    main(sys.argv[1:])
