"""How sure a measured figure is: an interval over the rounds of one run. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean, median, stdev
from typing import Any

CONFIDENCE = 0.95
FEWEST = 3  # rounds; with fewer an interval says nothing


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure over rounds: their median, and the interval of their mean.

    `low` and `high` are None where there were too few rounds.
    """

    median: float
    low: float | None
    high: float | None
    rounds: int
    thrown_out: int = 0

    def as_row(self) -> dict[str, Any]:
        """As result files hold it."""
        return asdict(self)


def ratio_of_pairs(ours: Sequence[float], theirs: Sequence[float]) -> Estimate:
    """ours ÷ theirs, each with its neighbour of the same round.

    The interval is Student's of the mean log ratio, hence of the geometric mean of the ratios: one
    contender being twice as fast weighs as much as its being half as fast.

    Raises:
        ValueError: the two have not the same number of rounds, or none, or a rate is not above 0.
    """
    if len(ours) != len(theirs) or not ours:
        raise ValueError(f"{len(ours)} and {len(theirs)} rounds make no pairs")
    if min(*ours, *theirs) <= 0:
        raise ValueError("a ratio needs rates above 0")
    logs = [math.log(mine / other) for mine, other in zip(ours, theirs, strict=True)]
    low, high = _student(logs)
    bounds = (None if low is None else math.exp(low), None if high is None else math.exp(high))
    return Estimate(math.exp(median(logs)), *bounds, len(logs))


def of_rates(rates: Sequence[float]) -> Estimate:
    """A rate or a duration, above 0; the interval is that of the geometric mean."""
    return ratio_of_pairs(rates, [1.0] * len(rates))


def of_values(values: Sequence[float]) -> Estimate:
    """A figure that may be 0 or below, as a difference; the interval is that of the mean.

    Raises:
        ValueError: there are no values.
    """
    if not values:
        raise ValueError("no rounds make no interval")
    return Estimate(median(values), *_student(values), len(values))


def worst(rows: Iterable[Mapping[str, Any]], *, at_least: bool = True) -> Mapping[str, Any]:
    """Of several figures with one aim, the one that is surest to miss it.

    Raises:
        ValueError: there are none.
    """
    found = list(rows)
    if not found:
        raise ValueError("no figures, so none is the worst")
    if unsure := [row for row in found if row["low"] is None]:
        found = unsure
    bound = ("low" if at_least else "high") if not unsure else "median"
    return (min if at_least else max)(found, key=lambda row: row[bound])


def _student(values: Sequence[float]) -> tuple[float | None, float | None]:
    """mean ± t(n - 1) · s / √n, two-sided."""
    from scipy.stats import t

    n = len(values)
    if n < FEWEST:
        return None, None
    reach = float(t.ppf((1 + CONFIDENCE) / 2, n - 1)) * stdev(values) / math.sqrt(n)
    return fmean(values) - reach, fmean(values) + reach
