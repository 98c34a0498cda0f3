"""Each rule of each set: the shortest series that is a signal, and one that just is none."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from random import Random

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from quality.arrays import Floats
from quality.charts.run_rules import (
    NELSON,
    RULE_SETS,
    SHEWHART,
    WESTERN_ELECTRIC,
    Rule,
    below_centre,
    signals,
)

UP_DOWN = [0.5, -0.5] * 7
EXAMPLES = {
    "beyond_3": ([3.01], [3.0]),
    "2_of_3_beyond_2": ([2.1, 0, 2.1], [2.1, 0, -2.1]),
    "4_of_5_beyond_1": ([1.1, 1.1, 0, 1.1, 1.1], [1.1, 1.1, 1.1, 1.1, 0]),
    "8_one_side": ([0.1] * 8, [0.1] * 7 + [-0.1]),
    "9_one_side": ([-0.1] * 9, [-0.1] * 8 + [0.1]),
    "6_trend": ([0, 0.1, 0.2, 0.3, 0.4, 0.5], [0, 0.1, 0.2, 0.2, 0.4, 0.5]),
    "14_alternating": (UP_DOWN, [*UP_DOWN[:-1], 0.6]),
    "15_within_1": ([0.9, -0.9] * 7 + [0.9], [0.9, -0.9] * 7 + [1.0]),
    "8_beyond_1": ([1.1, -1.1] * 4, [1.1] * 8),
}


RULES = {rule.code: rule for rule in (*WESTERN_ELECTRIC, *NELSON)}


@pytest.mark.parametrize("code", RULES)
def test_each_rule(code: str) -> None:
    rule = RULES[code]
    signal, none = EXAMPLES[rule.code]
    assert len(signal) == rule.points
    assert signals(signal, [rule]) == [(rule.points - 1, rule)]
    assert signals([-z for z in signal], [rule]) == [(rule.points - 1, rule)], "on either side"
    assert signals(none, [rule]) == []
    assert signals(signal[1:], [rule]) == [], "one point short"


def test_eight_beyond_1_sigma_has_none_within() -> None:
    rule = RULES["8_beyond_1"]
    assert not rule.holds([1.1, -1.1, 1.1, -1.1, 1.1, -1.1, 1.1, -0.9])
    assert not rule.holds([-1.1] * 8)


def test_the_default_is_rule_1() -> None:
    assert RULE_SETS["shewhart"] is SHEWHART
    assert [place for place, _ in signals([0, 4, 0.1, 0.1, -4, 2.5, 2.5])] == [1, 4]


@pytest.mark.parametrize("code", RULES)
def test_a_point_that_is_not_known_signals_only_what_holds_whatever_it_is(code: str) -> None:
    rule, random = RULES[code], Random(code)
    could_be = [-4, -2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 4]
    certain = 0
    for _ in range(1000):
        scores = [random.choice([-3.5, -2.2, -1.2, 0.1, 1.2, 2.2, 3.5]) for _ in range(rule.points)]
        if random.random() < 0.5:
            scores = list(EXAMPLES[code][0])
        place = random.randrange(rule.points)
        before, after = scores[:place], scores[place + 1 :]
        holds = bool(rule.holds([*before, nan, *after]))
        assert not holds or all(rule.holds([*before, value, *after]) for value in could_be)
        certain += holds
    assert bool(certain) == (code in {"2_of_3_beyond_2", "4_of_5_beyond_1"})


def test_rules_are_the_same_of_many_charts_at_once() -> None:
    scores = np.random.default_rng(2).normal(0, 1.5, size=(15, 4000))
    scores[7, :50] = nan
    for rule in [*RULES.values(), below_centre(4)]:
        latest = scores[-rule.points :]
        at_once = rule.holds(list(latest))
        assert at_once.tolist() == [bool(rule.holds(column.tolist())) for column in latest.T]


def test_points_below_the_centre() -> None:
    rule = below_centre(3)
    assert (rule.code, rule.points) == ("3_below", 3)
    found = signals([-0.1, -0.2, 0.0, -1, -1, -1, -1, 2], [rule])
    assert [place for place, _ in found] == [5, 6]


def test_rule_1_on_a_normal_process_alarms_once_in_370_points() -> None:
    scores = np.random.default_rng(0).normal(size=200_000)
    shewhart, nelson = (alarms(scores, rules) for rules in (SHEWHART, NELSON))
    assert len(scores) / shewhart == pytest.approx(370.4, rel=0.1)
    assert nelson > 3 * shewhart, "each rule adds false alarms"


def alarms(scores: Floats, rules: Sequence[Rule]) -> int:
    """How many points are signals; the same as of `signals`, of which it tries the beginning."""
    found = np.zeros(len(scores), bool)
    for rule in rules:
        windows = sliding_window_view(scores, rule.points)
        found[rule.points - 1 :] |= rule.holds(list(windows.T))
    beginning = {place for place, _ in signals(scores[:2000].tolist(), rules)}
    assert set(np.flatnonzero(found[:2000])) == beginning
    return int(found.sum())
