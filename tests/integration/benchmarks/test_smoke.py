"""One benchmark from the command to its file, so small that its figures mean nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.report import KEYS


@pytest.mark.slow
@pytest.mark.timeout(400)  # beside other tests rounds are thrown out, and made again
def test_transport_is_measured_from_command_to_file(tmp_path: Path) -> None:
    out = tmp_path / "transport.json"
    kept = {k: v for k, v in os.environ.items() if not k.startswith("LINEWATCH_")}
    tiny = {
        "LINEWATCH_BENCH_SCALE": "0.01",
        "LINEWATCH_BENCH_DATABASES": "sqlite",
        "LINEWATCH_DATA_DIR": str(tmp_path / "data"),
        "OMP_NUM_THREADS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", "bench", "transport", "--quick", "--json", str(out)],
        env={**kept, **tiny},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(out.read_text())
    assert tuple(result) == KEYS
    ways = {row["images_a_message"] for row in result["rows"]}
    assert ways == {"empty task, Celery as released", "empty task, this worker", 1, 8, 64}
    assert all(row["messages_per_s"]["lowest"] > 0 for row in result["rows"])
    single = result["ratios"]["transport_to_empty_task"]
    assert single["median"] > 0
    conditions = result["settings"]["conditions"]
    assert {row["what"] for row in conditions} == {"sqlite, events on", "sqlite, events off"}
    used = sum(row["used"] for row in conditions if row["what"] == "sqlite, events on")
    assert 1 <= used <= 2  # at this scale; no interval comes of that
    assert (single["rounds"], single["low"]) == (used, None)
    judged = result["settings"]["verdicts sqlite"]
    # Warm-up, then rounds, those thrown out included: every picture of every message has its row.
    assert sum(judged.values()) == 3 + len(conditions) * (8 * 1 + 5 * 8 + 5 * 64)
    assert "transport_to_empty_task" in done.stdout
