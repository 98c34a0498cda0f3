"""What reports about parts must say, from a count of every part in plain Python."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.counted_parts import BERLIN, Made, shift_of, usual

Keep = Callable[[Made], bool]


@cache
def groups_of(part: Made, zone: ZoneInfo = BERLIN) -> dict[str, Any]:
    """Every group's value for one part, straight from the part."""
    span, local = shift_of(part, usual(zone)), part.made_at.astimezone(zone)
    quarter = part.made_at.replace(minute=part.made_at.minute // 15 * 15, second=0, microsecond=0)
    hour = part.made_at - timedelta(
        minutes=local.minute, seconds=local.second, microseconds=local.microsecond
    )
    names = ("line", "product", "lot", "work_order", "model_version")
    return {
        **{name: getattr(part, name) for name in names},
        "shift": span.name,
        "day": span.day,
        "quarter": quarter,
        "hour": hour,
        "week": "{}-W{:02}".format(*span.day.isocalendar()[:2]),
        "month": span.day.isoformat()[:7],
    }


def expected(
    parts: Iterable[Made],
    by: Sequence[str],
    zone: ZoneInfo = BERLIN,
    keep: Keep = lambda _: True,
) -> dict[tuple[Any, ...], Counter[str]]:
    """How parts ended by the values of `by`, of those to `keep`."""
    counts: dict[tuple[Any, ...], Counter[str]] = defaultdict(Counter)
    for part in filter(keep, parts):
        groups = groups_of(part, zone)
        count = counts[tuple(groups[name] for name in by)]
        if part.again:
            count["reinspections"] += 1
            continue
        count["parts"] += 1
        count[part.disposition] += 1
        if part.decided_by:
            count[f"by_{part.decided_by}"] += 1
        count["unserialised"] += not part.serialised
        count["by_receipt"] += part.by_receipt
    return {key: +count for key, count in counts.items()}
