"""Subgroups of a control chart in order of time, and the gaps of a g chart. Pure.

Parts are counted by slices of time, a quarter hour at most, so that is the grain: a subgroup of n
parts ends with the slice in which its n-th part was made, and the nonconforming parts of a slice
are taken to lie evenly among its good ones.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from quality.charts.attribute_charts import Baseline, Kind, Subgroup
from quality.charts.baselines import BASELINE_SUBGROUPS, baseline, suggested

TRIAL_SUBGROUPS = 10  # from which limits are drawn before a baseline is frozen


@dataclass(frozen=True, slots=True)
class TimedSubgroup:
    """A subgroup with its name, from `starts` up to, not including, `ends`."""

    name: str
    starts: datetime
    ends: datetime
    counts: Subgroup


@dataclass(frozen=True, slots=True)
class Gap:
    """What came before a nonconforming part, which was made between `starts` and `ends`.

    Attributes:
        good: good parts since the nonconforming one before it.
        open: parts in it that nobody decided yet, and that may be nonconforming too.
    """

    name: str
    starts: datetime
    ends: datetime
    good: int
    open: int


def instant_name(when: datetime) -> str:
    """An instant as the name of a subgroup, whatever the plant's clock: '2026-03-01T06:15Z'."""
    utc = when.astimezone(UTC).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='minutes')}Z"


def joined(name: str, members: Sequence[TimedSubgroup]) -> TimedSubgroup:
    """Some subgroups as one; there is at least one."""
    counts = [one.counts for one in members]
    return TimedSubgroup(
        name,
        min(one.starts for one in members),
        max(one.ends for one in members),
        Subgroup(
            sum(one.parts for one in counts),
            sum(one.nonconforming for one in counts),
            sum(one.open for one in counts),
        ),
    )


def of_parts(slices: Sequence[TimedSubgroup], parts: int) -> list[TimedSubgroup]:
    """Slices one after another until each subgroup has so many parts; what is left over is none.

    Args:
        slices: in order of time.
    """
    found: list[TimedSubgroup] = []
    waiting: list[TimedSubgroup] = []
    for one in slices:
        waiting.append(one)
        if sum(each.counts.all for each in waiting) >= parts:
            found.append(joined(instant_name(waiting[0].starts), waiting))
            waiting = []
    return found


def gaps(slices: Sequence[TimedSubgroup]) -> list[Gap]:
    """The gap before each nonconforming part.

    The first begins with the first slice; what follows the last nonconforming part is none yet.
    Open parts of a slice are in every gap that touches it.
    """
    found: list[Gap] = []
    good = open_ = 0
    for one in slices:
        conforming = one.counts.parts - one.counts.nonconforming
        open_ += one.counts.open
        slice_name = instant_name(one.starts) if one.counts.nonconforming else ""
        for number, share in enumerate(_shares(conforming, one.counts.nonconforming), start=1):
            name = f"{slice_name} {number}"
            found.append(Gap(name, one.starts, one.ends, good + share, open_))
            conforming -= share
            good, open_ = 0, one.counts.open
        good += conforming
    return found


def trial(subgroups: Sequence[TimedSubgroup]) -> Baseline:
    """Limits to look at before a baseline is frozen, from the decided parts of all subgroups.

    Raises:
        ValueError: fewer than `TRIAL_SUBGROUPS` have decided parts; none, or all, of these are
            nonconforming.
    """
    decided = [replace(one.counts, open=0) for one in subgroups if one.counts.parts]
    if len(decided) >= BASELINE_SUBGROUPS:
        return baseline(decided)
    if len(decided) < TRIAL_SUBGROUPS:
        raise ValueError(
            f"{len(decided)} subgroups say too little for limits: {TRIAL_SUBGROUPS} have trial "
            f"limits, and a baseline needs {BASELINE_SUBGROUPS}"
        )
    parts = sum(one.parts for one in decided)
    nonconforming = sum(one.nonconforming for one in decided)
    if nonconforming in (0, parts):
        raise ValueError(
            f"{'all' if nonconforming else 'none'} of {parts} parts are nonconforming: "
            "there are no limits"
        )
    kind = Kind.G if suggested(decided).kind is Kind.G else Kind.P
    return Baseline(kind, nonconforming / parts, 1.0, len(decided), parts)


def _shares(good: int, nonconforming: int) -> Iterator[int]:
    """The good parts before each of some nonconforming ones that lie evenly among them."""
    for number in range(nonconforming):
        before, after = good * number, good * (number + 1)
        yield after // (nonconforming + 1) - before // (nonconforming + 1)
