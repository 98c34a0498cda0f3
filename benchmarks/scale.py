"""How much is measured: everything, or a share of it where only the way is to be tried."""

from __future__ import annotations

import os

VARIABLE = "LINEWATCH_BENCH_SCALE"  # 1: as the benchmarks say; the tests use a small share
DATABASES = os.environ.get("LINEWATCH_BENCH_DATABASES", "postgresql,sqlite").split(",")
ENCODERS = os.environ.get("LINEWATCH_BENCH_ENCODERS", "full")  # compact: to try, not to measure


QUICK_ROUNDS, ROUNDS = 5, 9


def rounds(quick: bool) -> int:
    """How many rounds to keep: enough for an interval. Quick ones are shorter, not much fewer."""
    return scaled(QUICK_ROUNDS if quick else ROUNDS)


def again(quick: bool) -> int:
    """How many rounds more to try, where some were disturbed."""
    return scaled(2 if quick else ROUNDS, least=1)


def scaled(count: int, least: int = 2) -> int:
    """`count` times the scale, and at least `least`."""
    return max(least, round(count * float(os.environ.get(VARIABLE, "1"))))
