"""What a worker's health checks say, from its parts."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from linewatch.errors import LinewatchError
from workers.runtime import InspectRuntime, install, runtime_of


def runtime(complaint: str | None = None, held: str | None = None, idle: str | None = None) -> Any:
    made: Any = InspectRuntime.__new__(InspectRuntime)  # its parts need a plant
    made.guard = SimpleNamespace(complaint=complaint)
    made.committer = SimpleNamespace(holding=SimpleNamespace(problem=held))
    made.residency = SimpleNamespace(idle_reason=idle)
    return made


@pytest.mark.parametrize(
    ("parts", "healthz", "readyz"),
    [
        ({}, None, None),
        ({"complaint": "stalled"}, "stalled", "stalled"),
        ({"held": "held for 70 s"}, "held for 70 s", "held for 70 s"),
        ({"idle": "no champion"}, None, "no champion"),  # a new start would not help
    ],
)
def test_health_and_readiness(
    parts: dict[str, str], healthz: str | None, readyz: str | None
) -> None:
    made = runtime(**parts)
    assert (made.problem(), made.unready()) == (healthz, readyz)


def test_each_application_has_its_own_runtime() -> None:
    ours, other = SimpleNamespace(), SimpleNamespace()
    made = runtime()
    install(ours, made)
    assert runtime_of(ours) is made
    with pytest.raises(LinewatchError, match="start it with -Q inspect"):
        runtime_of(other)
