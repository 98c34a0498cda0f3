"""Runs a function on mutated inputs for a bounded time."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path

import atheris

MAX_INPUT_BYTES = 8192
SLOWEST_S, LARGEST_MB = 20, 4096  # one input that takes more is a finding


def fuzz(test_one: Callable[[bytes], None], seeds: Iterable[bytes]) -> None:
    """Fuzz until --seconds are over or `test_one` raises, then end the process.

    Args:
        test_one: may raise nothing, whatever it is given.
        seeds: valid inputs to start from.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--findings", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds):
            (Path(corpus) / f"seed-{number}").write_bytes(seed)
        arguments = [
            sys.argv[0],
            f"-max_total_time={options.seconds}",
            f"-max_len={MAX_INPUT_BYTES}",
            f"-timeout={SLOWEST_S}",
            f"-rss_limit_mb={LARGEST_MB}",
            f"-artifact_prefix={options.findings}/",
            "-print_final_stats=1",
            corpus,
        ]
        atheris.Setup(arguments, test_one)
        atheris.Fuzz()
