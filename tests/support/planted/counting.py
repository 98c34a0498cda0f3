"""What reports must say of planted parts, counted one by one."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from math import sqrt
from typing import Any

from tests.support.planted.clock import quarter_of, shift_of, wall
from tests.support.planted.parts import Truth

Rows = dict[tuple[Any, ...], dict[str, Any]]
_Z = 1.959963984540054


def groups_of(part: Truth) -> dict[str, Any]:
    """Everything that reports group by."""
    assert part.made_at is not None
    shift, shown = shift_of(part.line, part.made_at), wall(part.made_at)
    names = ("line", "product", "lot", "work_order", "model_version")
    return {
        **{name: getattr(part, name) for name in names},
        "shift": shift.name,
        "day": shift.day,
        "week": "{}-W{:02}".format(*shift.day.isocalendar()[:2]),
        "month": f"{shift.day:%Y-%m}",
        "quarter": quarter_of(part.made_at),
        "hour": part.made_at
        - timedelta(minutes=shown.minute, seconds=shown.second, microseconds=shown.microsecond),
    }


def counted(part: Truth, by_receipt: bool) -> tuple[Any, ...]:
    """The key by which a part is counted, but for its time."""
    return (
        *(part.line, part.product, part.lot, part.work_order, part.model_version),
        *(part.disposition, part.classes, part.decided_by, part.why, part.model_disposition),
        *(part.number > 1, part.serial != "", by_receipt),
    )


def grouped(parts: Iterable[Truth], by: Sequence[str]) -> dict[tuple[Any, ...], list[Truth]]:
    """The parts by the values of `by`."""
    found: dict[tuple[Any, ...], list[Truth]] = defaultdict(list)
    for part in parts:
        groups = groups_of(part)
        found[tuple(groups[name] for name in by)].append(part)
    return found


def tally(parts: Sequence[Truth], received: frozenset[Any]) -> dict[str, Any]:
    """A row of the defect-rate report; `received`: first pictures that count by their receipt."""
    first = [part for part in parts if part.number == 1]
    ended = Counter(part.disposition for part in first)
    by = Counter(part.decided_by for part in first)
    good, bad, still_open = (ended[n] for n in ("conforming", "nonconforming", "open"))
    low, high = wilson(bad, good + bad)
    return {
        "parts": len(first),
        "conforming": good,
        "nonconforming": bad,
        "open": still_open,
        "by_model": by["model"],
        "by_person": by["person"],
        "rate": bad / (good + bad) if good + bad else None,
        "rate_low": low,
        "rate_high": high,
        "band_low": bad / len(first) if first else None,
        "band_high": (bad + still_open) / len(first) if first else None,
        "reinspections": len(parts) - len(first),
        "unserialised": sum(part.serial == "" for part in first),
        "by_receipt": sum(part.first in received for part in first),
    }


def first_pass(row: dict[str, Any]) -> dict[str, Any]:
    """What the first-pass report adds to it."""
    parts = row["parts"]
    return {
        **row,
        "first_pass_yield": row["conforming"] / parts if parts else None,
        "fpy_low": row["conforming"] / parts if parts else None,
        "fpy_high": (row["conforming"] + row["open"]) / parts if parts else None,
        "ppm": None if row["rate"] is None else 1e6 * row["rate"],
    }


def wilson(bad: int, decided: int) -> tuple[float | None, float | None]:
    """The 95 % score interval of E. B. Wilson (1927)."""
    if not decided:
        return None, None
    share, z2 = bad / decided, _Z * _Z
    middle = share + z2 / (2 * decided)
    off = _Z * sqrt(share * (1 - share) / decided + z2 / (4 * decided**2))
    ends = ((middle - off) / (1 + z2 / decided), (middle + off) / (1 + z2 / decided))
    return (0.0 if bad == 0 else ends[0], 1.0 if bad == decided else ends[1])


def by_class(parts: Iterable[Truth]) -> list[tuple[str, int, float, float]]:
    """Class, parts, share and cumulative share, the most frequent first."""
    bad = [set(one.classes.split("+")) for one in parts if one.number == 1 and one.classes]
    names = {name for classes in bad for name in classes}
    found, seen = [], set()
    for count, name in sorted((-sum(name in one for one in bad), name) for name in names):
        seen.add(name)
        within = sum(bool(one & seen) for one in bad)
        found.append((name, -count, -count / len(bad), within / len(bad)))
    return found


def difference(now: dict[str, Any], before: dict[str, Any]) -> tuple[float, float, float] | None:
    """R. G. Newcombe's interval (1998, method 10) of one rate minus another."""
    if now["rate"] is None or before["rate"] is None:
        return None
    apart = now["rate"] - before["rate"]
    down = sqrt((now["rate"] - now["rate_low"]) ** 2 + (before["rate_high"] - before["rate"]) ** 2)
    up = sqrt((now["rate_high"] - now["rate"]) ** 2 + (before["rate"] - before["rate_low"]) ** 2)
    return apart, apart - down, apart + up


def within(parts: Iterable[Truth], since: datetime, until: datetime) -> list[Truth]:
    """Those made in a time."""
    return [one for one in parts if one.made_at is not None and since <= one.made_at < until]


def of(parts: Iterable[Truth], keep: Callable[[Truth], bool]) -> list[Truth]:
    """Those to keep."""
    return [one for one in parts if keep(one)]
