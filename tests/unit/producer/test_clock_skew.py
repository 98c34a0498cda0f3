"""How far another clock is ahead, from one question."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from producer.clock_skew import ClockSkew


def test_a_clock_is_asked_once_it_is_connected_and_meant_for_the_middle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To connect may take seconds, which would be taken for skew."""
    now = [100.0]
    clock = SimpleNamespace(time=lambda: now[0], monotonic=lambda: now[0] - 90)
    monkeypatch.setattr("producer.clock_skew.time", clock)
    ways_s = [(5.0, 0.1), (0.1, 0.1)]  # there and back: the first connects

    def ask() -> float:
        there_s, back_s = ways_s.pop(0)
        now[0] += there_s
        answer = now[0] + 30
        now[0] += back_s
        return answer

    skew = ClockSkew.measured(ask)
    assert (skew.ahead_s, skew.error_s) == (pytest.approx(30.0), pytest.approx(0.1))
    assert not ways_s
