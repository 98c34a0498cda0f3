"""Pictures come as a Poisson process, and a reader who is late does not thin them."""

from __future__ import annotations

import pytest

from benchmarks import arrivals


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 1000.0

    def time(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(arrivals, "time", clock)
    return clock


@pytest.mark.parametrize("busy_s", [0.0, 0.008])
def test_so_many_come_in_so_much_time(clock: Clock, busy_s: float) -> None:
    came = []
    for at in arrivals.poisson(100.0, 4000):
        assert at == clock.now
        came.append(at)
        clock.sleep(busy_s)
    assert came == sorted(came)
    assert len(came) == 4000
    assert came[-1] - 1000 == pytest.approx(40, rel=0.05)  # three deviations of the sum


def test_no_two_rounds_are_alike(clock: Clock) -> None:
    begins = clock.now
    first = [at - begins for at in arrivals.poisson(10.0, 5)]
    begins = clock.now
    second = [at - begins for at in arrivals.poisson(10.0, 5)]
    assert first != second
