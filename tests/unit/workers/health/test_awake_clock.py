"""The clock that does not count what its process slept through."""

from __future__ import annotations

from workers.health.awake_clock import AwakeClock


def test_it_counts_time_as_it_passes_and_no_gaps() -> None:
    clock = AwakeClock(1.0)
    assert clock.read(1000.0) == 0
    assert clock.read(1000.5) == 0.5
    assert clock.read(4600.5) == 1.5  # an hour in which it was stopped
    assert clock.read(4601.0) == 2.0
    assert clock.read(4600.0) == 2.0  # and never backwards
