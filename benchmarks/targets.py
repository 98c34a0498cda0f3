"""What the ratios must reach: on 2 cores, full-size encoders, 1024² JPEG, unless said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

Verdict = Literal["met", "not met", "undecided", "no interval"]


@dataclass(frozen=True, slots=True)
class Target:
    """An aim, its direction, and what the figure says.

    `rounds` is False for a figure that one run gives: a size, or what is the same in every round.
    """

    bound: float
    at_least: bool
    meaning: str
    rounds: bool = True

    def verdict(self, measured: float | Mapping[str, Any]) -> Verdict:
        """What may be said of it.

        Met only where the whole interval is; not met where none of it is; between, it is undecided.
        A figure without an interval, as those of two rounds, decides nothing.
        """
        if not isinstance(measured, Mapping):
            if self.rounds:
                return "no interval"
            return "met" if self._reached(measured) else "not met"
        low, high = measured["low"], measured["high"]
        if low is None or high is None:
            return "no interval"
        reached = {self._reached(low), self._reached(high)}
        return "undecided" if len(reached) > 1 else "met" if reached == {True} else "not met"

    def _reached(self, value: float) -> bool:
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


def at_least(bound: float, meaning: str, *, rounds: bool = True) -> Target:
    """More is better."""
    return Target(bound, True, meaning, rounds)


def at_most(bound: float, meaning: str, *, rounds: bool = True) -> Target:
    """Less is better."""
    return Target(bound, False, meaning, rounds)


TARGETS = {
    "commit_to_0_1_0": at_least(0.9, "commits of 64 on 10 million pictures ÷ 0.1.0's"),
    "wal_a_picture": at_most(2000, "bytes of PostgreSQL's log a picture", rounds=False),
    "correction_ms": at_most(10, "a person's decision on a part, with its counts, ms"),
    "slowest_report_sql_ms": at_most(100, "the slowest report's queries, ms", rounds=False),
    "a_year_to_ten_weeks": at_most(1.3, "a range of one length: a year's history ÷ ten weeks'"),
    "reports_with_faults": at_most(0, "reports whose plans read all facts, or JIT", rounds=False),
    "pipeline_to_bare": at_least(0.95, "whole system ÷ bare loop, the worst of all"),
    "pipeline_to_naive": at_least(3.0, "OpenVINO int8 ÷ an afternoon's worker"),
    "pipeline_to_naive_torch_float32": at_least(1.2, "torch float32 ÷ an afternoon's worker"),
    "pipeline_to_litserve": at_least(1.0, "whole system ÷ LitServe, same backend, the worst"),
    "pipeline_to_rayserve": at_least(1.0, "whole system ÷ Ray Serve, same backend, the worst"),
    "transport_to_empty_task": at_least(
        0.8, "single-image messages ÷ empty tasks of Celery as released, events on"
    ),
    "images_per_s_at_64": at_least(
        4000, "images/s at 64 a message, network that does nothing, PostgreSQL"
    ),
    "p50_minus_forward_ms": at_most(
        25, "median submit → committed − one bare forward, at 20 % load, ms"
    ),
    "p99_to_p50": at_most(3.0, "p99 ÷ p50 of submit → committed, at 60 % load"),
    "p99_at_90_ms": at_most(
        1500, "p99 of submit → committed at 90 % of what is sustained for ten minutes, int8, ms"
    ),
    "told_minus_committed_p50_ms": at_most(
        10, "p50 from commit to an MQTT subscriber, at 20 % load, compact encoders, ms"
    ),
    "told_minus_committed_p99_ms": at_most(50, "p99 of the same, ms"),
    "backlog_told_per_s": at_least(
        2000, "verdicts of a backlog told over MQTT a second", rounds=False
    ),
    "commit_with_outbox_to_0_1_0": at_least(
        0.8, "commits of 64 with outbox and figures ÷ 0.1.0's, on 10 million pictures"
    ),
    "openvino_int8_to_torch": at_least(3.0, "OpenVINO int8 ÷ torch float32, forward only"),
    "openvino_int8_cosine": at_least(
        0.999, "features of int8 beside torch float32, mean cosine", rounds=False
    ),
    "worker_minus_encoders_mib": at_most(
        1024, "a worker's peak memory − its encoders' alone, MiB", rounds=False
    ),
    "growth_mib": at_most(
        100, "memory at the last images − after the first tenth, MiB", rounds=False
    ),
    "deep_queue_mib": at_most(
        100, "memory with a deep queue − with a short one, MiB", rounds=False
    ),
}
