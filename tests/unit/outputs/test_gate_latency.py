"""How long a line waits."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from outputs.backoff import LONGEST_S, backoff_s
from outputs.gate_latency import GateLatency
from outputs.result import Result
from tests.support.line_results import NOON, a_result


def a_wait(wait_ms: float, **fields: Any) -> Result:
    return a_result(**{"captured_at": NOON - timedelta(milliseconds=wait_ms), **fields})


def test_figures_are_of_waits_that_there_were() -> None:
    latency = GateLatency()
    assert latency.figures() is None
    latency.told([a_wait(float(n), late=n > 90) for n in range(1, 101)], NOON)
    assert latency.figures() == {
        "results": 100,
        "gate_p50_ms": 50.0,
        "gate_p99_ms": 99.0,
        "late_share": 0.1,
        "clock_ahead_ms": 0.0,
    }


def test_a_person_s_decision_is_no_latency() -> None:
    latency = GateLatency()
    latency.told([a_wait(3_600_000, revision=2)], NOON)
    assert latency.figures() is None


def test_a_clock_that_is_ahead_is_seen() -> None:
    latency = GateLatency()
    latency.told([a_wait(-250), a_wait(20)], NOON)
    assert (latency.figures() or {})["clock_ahead_ms"] == 250.0


@pytest.mark.parametrize("failures", [1, 2, 5, 20, 100_000])
def test_a_wait_doubles_up_to_its_bound(failures: int) -> None:
    whole = backoff_s(failures, 1.0)
    assert backoff_s(failures, 0.0) == whole / 2
    assert whole == min(LONGEST_S, 0.1 * 2.0 ** (min(failures, 50) - 1))


def test_a_clock_whose_skew_is_known_is_taken_off() -> None:
    latency = GateLatency()
    made_at = NOON + timedelta(seconds=5) - timedelta(milliseconds=40)
    latency.told([a_wait(0, captured_at=made_at, clock_ahead=timedelta(seconds=5))], NOON)
    found = latency.figures() or {}
    assert (found["gate_p50_ms"], found["clock_ahead_ms"]) == (40.0, 5000.0)
