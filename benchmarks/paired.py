"""Fair comparison on a machine that is never quite quiet: take turns, and compare neighbours."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from typing import TypeVar

Result = TypeVar("Result")


def interleave(
    contenders: Mapping[str, Callable[[], Result]], rounds: int
) -> dict[str, list[Result]]:
    """Run every contender once a round, in turn; every second round in the opposite order.

    Returns:
        Each contender's results, one a round, so that results of one round lie at one index.
    """
    results: dict[str, list[Result]] = {name: [] for name in contenders}
    for number in range(rounds):
        names = list(contenders) if number % 2 == 0 else list(contenders)[::-1]
        for name in names:
            results[name].append(contenders[name]())
    return results


def median_of_pairs(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of ours ÷ theirs, each with its neighbour of the same round.

    Raises:
        ValueError: the two have not the same number of rounds, or none.
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"{len(ours)} and {len(theirs)} rounds make no pairs")
    return median(mine / other for mine, other in zip(ours, theirs, strict=True))


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of `values` do not exceed, interpolated linearly (Hyndman-Fan 7).

    Raises:
        ValueError: there are no values, or `share` is not in [0, 1].
    """
    if not values or not 0 <= share <= 1:
        raise ValueError(f"no quantile {share} of {len(values)} values")
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


def spread(values: Sequence[float]) -> dict[str, float]:
    """The median with the lowest and the highest, as rows show it."""
    return {"median": median(values), "lowest": min(values), "highest": max(values)}
