"""How long a line waits for a verdict: from the camera to the receiver. Pure."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from datetime import datetime
from math import ceil
from typing import Any

from outputs.result import Result

REMEMBERED = 1000  # results; enough for a 99th percentile


class GateLatency:
    """Of the last results: camera to told, the share that was late, and the camera's clock.

    Only results of the first revision count: a person's decision hours later is no latency.
    """

    def __init__(self) -> None:
        self._waits_s: deque[float] = deque(maxlen=REMEMBERED)
        self._commits_s: deque[float] = deque(maxlen=REMEMBERED)
        self._late: deque[bool] = deque(maxlen=REMEMBERED)
        self._ahead_s = 0.0

    def told(self, results: Sequence[Result], at: datetime) -> None:
        """These were confirmed at this time, by the database's clock."""
        for result in results:
            if result.revision > 1 or result.captured_at is None:
                continue
            captured_at = result.captured_at - result.clock_ahead
            self._waits_s.append((at - captured_at).total_seconds())
            self._commits_s.append((result.committed_at - captured_at).total_seconds())
            self._ahead_s = result.clock_ahead.total_seconds()
            self._late.append(result.late or result.no_verdict)

    def figures(self) -> Mapping[str, Any] | None:
        """Milliseconds and shares; None while nothing was told.

        Waits are by the database's clock. `clock_ahead_ms` is by how much the camera's is ahead of
        it: as was measured for the last result, and more where something was committed before it
        was captured even so.
        """
        if not self._waits_s:
            return None
        waits = sorted(self._waits_s)
        return {
            "results": len(waits),
            "gate_p50_ms": _ms(_percentile(waits, 0.50)),
            "gate_p99_ms": _ms(_percentile(waits, 0.99)),
            "late_share": round(sum(self._late) / len(self._late), 4),
            "clock_ahead_ms": _ms(self._ahead_s + max(0.0, -min(self._commits_s))),
        }


def _percentile(ordered: Sequence[float], share: float) -> float:
    """Nearest rank: a wait that there was, and no mean of two."""
    return ordered[ceil(share * len(ordered)) - 1]


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 1)
