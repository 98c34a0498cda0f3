"""Percentiles of waiting, and the takt, from the times of some pictures. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median, quantiles
from typing import NamedTuple

PERCENTILES = (50, 95, 99)


class Timed(NamedTuple):
    """When a picture was taken, put into the queue, and judged."""

    part: str | None
    captured_at: datetime | None
    enqueued_at: datetime | None
    decided_at: datetime
    by_receipt: bool | None = None  # captured_at is not to be believed

    @property
    def latency_s(self) -> float | None:
        """From capture to verdict; None where the clocks do not say."""
        return None if self.by_receipt else _seconds(self.captured_at, self.decided_at)

    @property
    def queue_s(self) -> float | None:
        """From the queue to the verdict: what it waited, and what judging it took."""
        return _seconds(self.enqueued_at, self.decided_at)


def figures(slices: Sequence[Sequence[Timed]], budget_s: float | None) -> dict[str, float | None]:
    """A line's row.

    Args:
        slices: runs of pictures, each of one camera and without a gap in it.
        budget_s: the line's takt budget, from capture to verdict.

    Returns:
        pictures; measured, those whose latency is known; late_share of these, over the budget;
        takt_s; and percentiles of queue and latency in seconds. None: nothing to say it from.
    """
    every = [one for run in slices for one in run]
    latencies = [one.latency_s for one in every if one.latency_s is not None]
    queued = [one.queue_s for one in every if one.queue_s is not None]
    late = None
    if budget_s is not None and latencies:
        late = sum(latency > budget_s for latency in latencies) / len(latencies)
    return {
        "pictures": len(every),
        "measured": len(latencies),
        "late_share": late,
        "takt_s": takt_s(slices),
        **_named("queue", queued),
        **_named("latency", latencies),
    }


def takt_s(slices: Iterable[Sequence[Timed]]) -> float | None:
    """The median time from one part to the next, at one camera.

    A part is where its first picture is; a picture without a serial is a part of its own. The
    median, so that a break is one gap among many.
    """
    gaps = [
        (after - before).total_seconds()
        for run in slices
        for before, after in pairwise(sorted(_begun(run)))
    ]
    return median(gaps) if gaps else None


def percentiles(values: Sequence[float]) -> list[float | None]:
    """The `PERCENTILES`, interpolated linearly between the two nearest values.

    As SQL's percentile_cont does: definition 7 of R. J. Hyndman and Y. Fan, The American
    Statistician 50 (1996) 361-365.
    """
    if not values:
        return [None] * len(PERCENTILES)
    if len(values) == 1:
        return [values[0]] * len(PERCENTILES)
    cuts = quantiles(values, n=100, method="inclusive")
    return [cuts[percent - 1] for percent in PERCENTILES]


def _begun(run: Sequence[Timed]) -> list[datetime]:
    first: dict[object, datetime] = {}
    for place, one in enumerate(run):
        if one.captured_at is not None and not one.by_receipt:
            part = place if one.part is None else one.part
            first[part] = min(first.get(part, one.captured_at), one.captured_at)
    return list(first.values())


def _named(name: str, values: Sequence[float]) -> dict[str, float | None]:
    found = percentiles(values)
    return {f"{name}_p{p}_s": value for p, value in zip(PERCENTILES, found, strict=True)}


def _seconds(begin: datetime | None, end: datetime) -> float | None:
    """None where a time is missing, or a clock was wrong: nothing ends before it begins."""
    if begin is None or begin > end:
        return None
    return (end - begin).total_seconds()
