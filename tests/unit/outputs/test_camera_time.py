"""How far cameras' clocks are off, by what their senders noted."""

from __future__ import annotations

from datetime import timedelta

import pytest

from outputs.camera_time import FRESH_S, CameraTime
from producer.clock_skew import CameraClock, ClockSkew

NOW_S = 1_800_000_000.0
EXACT = ClockSkew(0.0, 0.001)


def a_clock(
    camera: str, ahead_s: float, *, at_s: float = NOW_S, error_s: float = 0.001
) -> CameraClock:
    return CameraClock(f"pc-of-{camera}-{at_s}", "L1", camera, ahead_s, error_s, at_s)


def known(
    *clocks: CameraClock, redis: ClockSkew = EXACT, database: ClockSkew = EXACT
) -> CameraTime:
    return CameraTime.of(clocks, redis, database, NOW_S)


def ahead_s(time: CameraTime, camera: str | None = None, line: str = "L1") -> float:
    return time.ahead(line, camera) / timedelta(seconds=1)


def test_each_camera_has_its_own_and_a_line_what_is_furthest_ahead() -> None:
    time = known(a_clock("a", 1.5), a_clock("b", -3.0))
    assert [ahead_s(time, one) for one in ("a", "b", "unknown", None)] == [1.5, -3.0, 1.5, 1.5]
    assert ahead_s(time, line="L2") == 0


def test_it_counts_from_the_database_and_not_from_redis() -> None:
    """The camera is 1 s ahead of Redis, which is 2 s ahead of this PC; the database is 0.5 s."""
    time = known(a_clock("a", 1.0), redis=ClockSkew(2.0, 0.01), database=ClockSkew(0.5, 0.01))
    assert ahead_s(time, "a") == pytest.approx(2.5)


def test_of_several_senders_the_last_counts_and_an_old_one_not_at_all() -> None:
    earlier = a_clock("a", 9.0, at_s=NOW_S - 60)
    old = a_clock("b", 9.0, at_s=NOW_S - FRESH_S - 1)
    time = known(a_clock("a", 1.0), earlier, old)
    assert [ahead_s(time, one) for one in ("a", "b")] == [1.0, 1.0]


def test_what_is_within_the_error_of_the_measurement_is_no_skew() -> None:
    assert ahead_s(known(a_clock("a", 0.05, error_s=0.06)), "a") == 0
