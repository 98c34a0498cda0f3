"""How much is measured: everything, or a share of it where only the way is to be tried."""

from __future__ import annotations

import os

VARIABLE = "LINEWATCH_BENCH_SCALE"  # 1: as the benchmarks say; the tests use a small share
DATABASES = os.environ.get("LINEWATCH_BENCH_DATABASES", "postgresql,sqlite").split(",")
ENCODERS = os.environ.get("LINEWATCH_BENCH_ENCODERS", "full")  # compact: to try, not to measure


def scaled(count: int, least: int = 2) -> int:
    """`count` times the scale, and at least `least`."""
    return max(least, round(count * float(os.environ.get(VARIABLE, "1"))))
