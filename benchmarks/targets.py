"""What the ratios must reach: on 2 cores, full-size encoders, 1024² JPEG, unless said."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Target:
    """A bound on a ratio, and what the ratio says."""

    bound: float
    at_least: bool
    meaning: str

    def met(self, value: float) -> bool:
        """Whether `value` reaches it."""
        return value >= self.bound if self.at_least else value <= self.bound

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.bound:g}"


TARGETS = {
    "pipeline_to_bare": Target(0.95, True, "whole system ÷ bare loop, the worst of all"),
    "pipeline_to_naive": Target(3.0, True, "OpenVINO int8 ÷ an afternoon's worker"),
    "pipeline_to_naive_torch_float32": Target(1.2, True, "torch float32 ÷ an afternoon's worker"),
    "pipeline_to_litserve": Target(1.0, True, "whole system ÷ LitServe, same backend, the worst"),
    "pipeline_to_rayserve": Target(1.0, True, "whole system ÷ Ray Serve, same backend, the worst"),
    "transport_to_empty_task": Target(
        0.8, True, "single-image messages ÷ empty tasks of Celery as released, events on"
    ),
    "images_per_s_at_64": Target(
        4000, True, "images/s at 64 a message, network that does nothing, PostgreSQL"
    ),
    "p50_minus_forward_ms": Target(
        25, False, "median submit → committed − one bare forward, at 20 % load, ms"
    ),
    "p99_to_p50": Target(3.0, False, "p99 ÷ p50 of submit → committed, at 60 % load"),
    "openvino_int8_to_torch": Target(3.0, True, "OpenVINO int8 ÷ torch float32, forward only"),
    "openvino_int8_cosine": Target(
        0.999, True, "features of int8 beside torch float32, mean cosine"
    ),
    "worker_minus_encoders_mib": Target(
        1024, False, "a worker's peak memory − its encoders' alone, MiB"
    ),
    "growth_mib": Target(100, False, "memory at the last images − after the first tenth, MiB"),
    "deep_queue_mib": Target(100, False, "memory with a deep queue − with a short one, MiB"),
}
