"""Each fuzzer for a few seconds; by hand it runs for hours."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("atheris", reason="no atheris; `pip install linewatch[fuzz]`")


@pytest.mark.parametrize("name", ["decode", "envelope", "message"])
def test_a_few_seconds_find_nothing(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", f"tests.fuzz.{name}", "--seconds", "5"]
    done = subprocess.run(
        [*command, "--findings", tmp_path],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
        cwd=Path(__file__).parents[2],
    )
    findings = [path.name for path in tmp_path.iterdir()]
    assert (done.returncode, findings) == (0, []), done.stderr[-3000:]
    runs = [line for line in done.stderr.splitlines() if "number_of_executed_units" in line]
    assert int(runs[0].split()[-1]) > 100
