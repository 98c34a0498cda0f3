"""The demonstration as README shows it: `python -m benchmarks.demo`.

Runs `linewatch demo` in a process of its own and keeps what it found and every line it printed;
`updated` puts an excerpt between README's markers.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, document, write

README = Path(__file__).resolve().parents[1] / "README.md"
RESULT = RESULTS / "demo.json"
_BLOCK = re.compile(r"<!-- demo: begin -->.*?<!-- demo: end -->", re.DOTALL)
# README shows the lines that begin with one of these; what is left out becomes "...".
_SHOWN = (
    *("✓", "Defect rate", "line ", "line-1", "all lines", "p chart", "* point", "First model"),
    *("class ", "missing_wire", "poke_insulation", "accepted ", "shift alone", "shift: "),
    "encoders ",
)
_BEGINS = ("Defect rate", "p chart", "First model", "accepted ")  # a blank line comes before
_PLOT = re.compile(r" *([\d.]+% )? ?[|+]|( +\d*[05])+$")  # the lines of a chart


def main() -> None:
    """Run it, write the result, and bring README up to date."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "demo.json"
        done = subprocess.run(
            [sys.executable, "-m", "linewatch", "demo", "--json", str(out)],
            env={**os.environ, "COLUMNS": "100"},
            capture_output=True,
            text=True,
            timeout=900,
            check=True,
        )
        found = json.loads(out.read_text(encoding="utf-8"))
    rows = found.pop("report")
    # Where it ran and on which port is nobody's business; how it went is.
    lines = (line.rstrip() for line in done.stdout.splitlines())
    printed = [line for line in lines if not line.startswith(("Flower ", "data ", "report "))]
    write(document("demo", settings={"printed": printed}, rows=rows, ratios=found), RESULT)
    text = README.read_text(encoding="utf-8")
    README.write_text(updated(text, read()), encoding="utf-8")


def read() -> dict[str, Any]:
    """What was written."""
    found: dict[str, Any] = json.loads(RESULT.read_text(encoding="utf-8"))
    return found


def updated(page: str, result: dict[str, Any]) -> str:
    """The page with what `result` printed between its markers."""
    lines = "\n".join(f"    {line}".rstrip() for line in excerpt(result["settings"]["printed"]))
    body = f"<!-- demo: begin -->\n{lines}\n<!-- demo: end -->"
    return _BLOCK.sub(lambda _: body, page)


def excerpt(printed: Sequence[str]) -> Iterator[str]:
    """The lines that say most; a gap between two of them is an ellipsis."""
    gap = False
    for number, line in enumerate(printed):
        if not (line.strip().startswith(_SHOWN) or (line.strip() and _PLOT.match(line))):
            gap = gap or bool(number and line.strip(" ─"))
            continue
        if gap:
            yield "..."
        if line.startswith(_BEGINS):
            yield ""
        yield line
        gap = False


if __name__ == "__main__":
    main()
