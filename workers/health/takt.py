"""Is a line's verdict there in time? Pure: the caller brings verdicts, budgets and the clock.

The takt budget of a line is the time from capture to verdict that the line can wait: the next
station has the part by then. One late verdict raises the alarm. A check period in which verdicts
came and all were in time ends it; a line that stands still proves nothing either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Overrun:
    """A line whose verdicts come too late."""

    line: str
    budget_s: float
    worst_s: float


@dataclass(frozen=True, slots=True)
class Recovery:
    """A line whose verdicts come in time again, or that has no budget any more."""

    line: str


class TaktWatch:
    """Compares latencies with budgets.

    Args:
        late: the lines whose alarm stands already.
    """

    def __init__(self, late: Iterable[str] = ()) -> None:
        self._late = set(late)
        self._worst: dict[str, float] = {}

    def standing(self, lines: Iterable[str]) -> None:
        """These lines' alarms stand now: other workers raise and end them too, or die with one."""
        self._late = set(lines)

    def note(self, line: str, latency_s: float) -> None:
        """A verdict of `line` came `latency_s` after its picture was taken."""
        if latency_s > self._worst.get(line, float("-inf")):
            self._worst[line] = latency_s

    def check(self, budgets: Mapping[str, float]) -> list[Overrun | Recovery]:
        """What has changed since the last check. Lines without a budget are never late."""
        worst, self._worst = self._worst, {}
        changes: list[Overrun | Recovery] = []
        for line, latency_s in sorted(worst.items()):
            budget_s = budgets.get(line)
            if budget_s is None:
                continue
            if latency_s > budget_s and line not in self._late:
                changes.append(Overrun(line, budget_s, latency_s))
            elif latency_s <= budget_s and line in self._late:
                changes.append(Recovery(line))
        changes += [Recovery(line) for line in sorted(self._late - budgets.keys())]
        return changes

    def settled(self, change: Overrun | Recovery) -> None:
        """The change was made known; one that was not comes up again."""
        if isinstance(change, Overrun):
            self._late.add(change.line)
        else:
            self._late.discard(change.line)
