"""Rule sets for control charts: which points are signals. Pure.

Every rule adds false alarms of its own, so the sets are named and the default is rule 1 alone;
`quality.charts.rule_choice` says which rules suit a chart.

A point that is not known yet has the score NaN: a rule holds only where it does whatever that point
turns out to be.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise
from operator import and_, or_
from typing import Any

Scores = Sequence[float]
# A number, or an array with one for each of many charts: rules work elementwise on both.
Score = Any
Truth = Any


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule over the latest points.

    Attributes:
        code: short, for signals and files.
        says: what it looks for.
        points: how many it needs.
        holds: of that many z values, the newest last: whether the newest is a signal.
        symmetric: whether it takes both sides of the centre to be about equally likely.
    """

    code: str
    says: str
    points: int
    holds: Callable[[Sequence[Score]], Truth]
    symmetric: bool = False


def _every(truths: Iterable[Truth]) -> Truth:
    return reduce(and_, truths)


def _beyond(count: int, sigmas: float) -> Callable[[Sequence[Score]], Truth]:
    """`count` or more of them on one side, beyond so many sigmas, and the newest among them."""

    def holds(scores: Sequence[Score]) -> Truth:
        side = 2 * (scores[-1] > 0) - 1
        far = [side * score > sigmas for score in scores]
        return far[-1] & (sum(1 * one for one in far) >= count)

    return holds


def _within(scores: Sequence[Score]) -> Truth:
    return _every(abs(score) < 1 for score in scores)


def _without_middle(scores: Sequence[Score]) -> Truth:
    below, above = reduce(or_, (s < 0 for s in scores)), reduce(or_, (s > 0 for s in scores))
    return below & above & _every(abs(score) > 1 for score in scores)


def _trend(scores: Sequence[Score]) -> Truth:
    steps = [after - before for before, after in pairwise(scores)]
    return _every(step > 0 for step in steps) | _every(step < 0 for step in steps)


def _alternating(scores: Sequence[Score]) -> Truth:
    steps = [after - before for before, after in pairwise(scores)]
    return _every(one * two < 0 for one, two in pairwise(steps))


def _below(scores: Sequence[Score]) -> Truth:
    return _every(score < 0 for score in scores)


POINTS_BELOW = "{points} points in a row below the centre"


def below_centre(points: int) -> Rule:
    """So many points in a row below the centre line, for a chart that is not symmetric."""
    return Rule(f"{points}_below", POINTS_BELOW.format(points=points), points, _below)


_ONE_BEYOND_3 = Rule("beyond_3", "a point beyond 3 sigma", 1, _beyond(1, 3))
_TWO_OF_3 = Rule(
    "2_of_3_beyond_2", "two of three points beyond 2 sigma, one side", 3, _beyond(2, 2)
)
_FOUR_OF_5 = Rule(
    "4_of_5_beyond_1", "four of five points beyond 1 sigma, one side", 5, _beyond(4, 1)
)

NINE_ON_A_SIDE = Rule("9_one_side", "nine points on one side of the centre", 9, _beyond(9, 0), True)

SHEWHART = (_ONE_BEYOND_3,)
# Western Electric, Statistical Quality Control Handbook (1956), pages 25-28.
WESTERN_ELECTRIC = (
    _ONE_BEYOND_3,
    _TWO_OF_3,
    _FOUR_OF_5,
    Rule("8_one_side", "eight points on one side of the centre", 8, _beyond(8, 0), True),
)
# L. S. Nelson, Journal of Quality Technology 16 (1984) 237-239.
NELSON = (
    _ONE_BEYOND_3,
    NINE_ON_A_SIDE,
    Rule("6_trend", "six points, each higher, or each lower, than the one before", 6, _trend),
    Rule("14_alternating", "fourteen points that go up and down in turn", 14, _alternating),
    _TWO_OF_3,
    _FOUR_OF_5,
    Rule("15_within_1", "fifteen points within 1 sigma", 15, _within),
    Rule("8_beyond_1", "eight points beyond 1 sigma, on both sides", 8, _without_middle),
)
RULE_SETS = {"shewhart": SHEWHART, "western-electric": WESTERN_ELECTRIC, "nelson": NELSON}


def signals(scores: Scores, rules: Sequence[Rule] = SHEWHART) -> list[tuple[int, Rule]]:
    """Which points are signals, by which rule, in order.

    Args:
        scores: of each point, in order of time: how many sigmas it lies off the centre line; NaN
            where that is not known yet.
    """
    return [
        (place, rule)
        for place in range(len(scores))
        for rule in rules
        if place + 1 >= rule.points and rule.holds(scores[place + 1 - rule.points : place + 1])
    ]
