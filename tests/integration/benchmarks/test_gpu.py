"""`make gpu` without a GPU: it runs from end to end, and nothing found is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.gpu import __main__ as command
from benchmarks.gpu.results import GrowingResult
from benchmarks.report import KEYS
from tests.support.waiting import until

ROOT = Path(__file__).parents[3]


def environment(folder: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LINEWATCH_")}
    return {**kept, "LINEWATCH_DATA_DIR": str(folder)}


@pytest.mark.slow
def test_the_figures_of_a_gpu_are_measured_from_end_to_end(tmp_path: Path) -> None:
    out = tmp_path / "gpu.json"
    asked = ["--smoke", "--only", "bench", "--out", str(out)]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gpu", *asked],
        cwd=ROOT,
        env=environment(tmp_path / "data"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    result = json.loads(out.read_text())
    assert tuple(result) == KEYS
    assert result["settings"]["whole"] is True
    whats = [row["what"] for row in result["rows"]]
    assert whats == [
        *("matrix product", "copy to the device", "load"),
        *("networks", "networks", "networks", "decode", "bare loop", "queue"),
    ]
    networks = [row for row in result["rows"] if row["what"] == "networks"]
    assert [row["batch"] for row in networks] == [1, 2, 4]
    assert all(row["of_matrix_product"] > 0 for row in networks)
    assert {row["bound_by"] for row in networks} <= {"the networks", "the copy", "launching"}
    assert result["ratios"]["pipeline_to_bare_cuda_float32"] > 0


def test_what_was_found_before_a_kill_is_in_the_file(tmp_path: Path) -> None:
    out = tmp_path / "cut.json"
    script = (
        "import sys, time; from pathlib import Path; from benchmarks.gpu.results import *\n"
        "result = GrowingResult(Path(sys.argv[1]), 60, {'smoke': True})\n"
        "for batch in (1, 2): result.add('networks', batch=batch, images_per_s=5.0)\n"
        "time.sleep(60)"
    )
    with subprocess.Popen(
        [sys.executable, "-u", "-c", script, str(out)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        for _ in range(2):
            process.stdout.readline()
        process.kill()
    result = json.loads(out.read_text())
    assert [row["batch"] for row in result["rows"]] == [1, 2]
    assert result["settings"]["whole"] is False
    again = GrowingResult(out, 60, {})
    again.skip("queue float32", "no time was left")
    skipped = json.loads(out.read_text())["settings"]["skipped"]
    assert skipped == {"queue float32": "no time was left"}


def test_what_takes_too_long_is_ended_with_all_it_started(tmp_path: Path) -> None:
    script = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    code = command._limited("a test", [sys.executable, "-c", script], dict(os.environ), 2)
    assert code == 124
    child = int((tmp_path / "pid").read_text())
    until(lambda: ended(child), 20)  # it was killed, and may not have noticed yet


def ended(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


def test_without_wheels_it_says_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "WHEELS", tmp_path)
    monkeypatch.setattr(command, "_FIRST_OF_THE_WHEELS", "a_module_that_nobody_has")
    with pytest.raises(SystemExit, match="make gpu-wheels"):
        command.environment()


def test_the_command_itself_needs_nothing_but_python() -> None:
    script = "import benchmarks.gpu.__main__"
    done = subprocess.run(
        [
            sys.executable,
            "-I",
            "-S",
            "-c",
            f"import sys; sys.path.insert(0, {str(ROOT)!r}); {script}",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
