"""The benchmarks by name, and how one is run."""

from __future__ import annotations

import importlib
import signal
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.report import RESULTS, document, write
from benchmarks.workplace import Workplace, say

BENCHES = {
    "pipeline": "Images/s through queue, worker and database, against the bare loop.",
    "naive": "Against what one would write in an afternoon.",
    "peers": "Against LitServe and Ray Serve.",
    "transport": "Messages/s and images/s with a network that does nothing.",
    "commit": "A commit and what it logs beside 0.1.0's, on 10 million pictures; a correction.",
    "reports": "Every report on 10 million pictures of 4 million parts, and its plans.",
    "latency": "Submit to committed, at 20, 60 and 90 % of capacity.",
    "sustained": "The rate that Poisson arrivals sustain; waits at 90 % of it.",
    "outputs": "Camera to MQTT subscriber, a backlog told, commits with an outbox.",
    "console": "Every page on 10 million pictures; 50 people and 20 walls at once.",
    "backends": "Each backend's speed, agreement and memory.",
    "decode": "Milliseconds from a file to the encoders' input, by decoder.",
    "memory": "A worker's memory: beside its encoders', over time, before a deep queue.",
    "compact": "What the compact encoders are worth, on pictures under LINEWATCH_TEST_DATA.",
}


def run_bench(name: str, *, quick: bool) -> dict[str, Any]:
    """Run one benchmark; returns its result in the form of `benchmarks.report`."""
    module = importlib.import_module(f"benchmarks.benches.{name}")
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))  # and clean up
    began = time.monotonic()
    say(f"{name}: begun")
    with Workplace() as workplace:
        findings = module.run(workplace, quick=quick)
    seconds = round(time.monotonic() - began)
    settings = {"quick": quick, "seconds": seconds, **findings.settings}
    say(f"{name}: {seconds} s")
    return document(name, settings=settings, rows=findings.rows, ratios=findings.ratios)


def run_and_write(name: str, *, quick: bool, path: Path | None = None) -> dict[str, Any]:
    """Run one benchmark and write its result file; by default that of the repository."""
    result = run_bench(name, quick=quick)
    write(result, path or RESULTS / f"{name}.json")
    return result
