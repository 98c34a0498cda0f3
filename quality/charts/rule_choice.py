"""Which rules suit a chart. Pure.

Rules for runs on one side take points above and below the centre line to be equally likely. Where
that is far from so, a run says nothing, and such a rule is left out.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, log

from quality.charts.attribute_charts import Baseline, Kind
from quality.charts.in_control import sides
from quality.charts.run_rules import NINE_ON_A_SIDE, RULE_SETS, SHEWHART, Rule, below_centre

DEFAULT = "default"
NAMES = (DEFAULT, *RULE_SETS)
_RUN = NINE_ON_A_SIDE.points
_SYMMETRIC = 2 * 0.5**_RUN  # the chance that nine points lie on one side of a symmetric chart
_MOST = 1.5  # times that, up to which a chart is near symmetric


@dataclass(frozen=True, slots=True)
class RuleChoice:
    """The rules of a chart.

    Attributes:
        left_out: those of the set that do not suit it.
        why: the sentence that says so; empty where all suit.
    """

    rules: tuple[Rule, ...]
    left_out: tuple[Rule, ...] = ()
    why: str = ""


def near_symmetric(baseline: Baseline) -> bool:
    """Whether nine points on one side are at most 1.5 times as likely as on a symmetric chart."""
    below, above = sides(baseline)
    return below**_RUN + above**_RUN <= _MOST * _SYMMETRIC


def rules_for(baseline: Baseline, name: str = DEFAULT) -> RuleChoice:
    """The rules of a named set that suit a chart.

    The default is rule 1, with a run of nine where the chart is near symmetric. On a g chart rule 1
    sees gaps that become longer, never shorter ones, as its lower limit is 0; so a g chart has a
    run of points below the centre as well, so long that it is no likelier than nine on one side of
    a symmetric chart. Whoever asks for `shewhart` has rule 1 alone.

    Raises:
        ValueError: there is no set of that name.
    """
    if name not in NAMES:
        raise ValueError(f"no rule set is called {name!r}: choose from {', '.join(NAMES)}")
    if baseline.kind is Kind.G:
        return _of_gaps(baseline, name)
    fits = near_symmetric(baseline)
    if name == DEFAULT:
        return RuleChoice((*SHEWHART, NINE_ON_A_SIDE) if fits else SHEWHART)
    rules = RULE_SETS[name]
    left_out = () if fits else tuple(rule for rule in rules if rule.symmetric)
    below, above = sides(baseline)
    why = (
        f"points below the centre have a chance of {below:.2f}, points above of {above:.2f}: runs "
        "on one side say nothing here"
    )
    kept = tuple(rule for rule in rules if rule not in left_out)
    return RuleChoice(kept, left_out, why if left_out else "")


def _of_gaps(baseline: Baseline, name: str) -> RuleChoice:
    if name == "shewhart":
        return RuleChoice(SHEWHART)
    below, _ = sides(baseline)
    run = below_centre(ceil(_RUN * log(0.5) / log(below)))
    left_out = tuple(rule for rule in RULE_SETS.get(name, ()) if rule not in SHEWHART)
    why = "a g chart is far from symmetric: it has rule 1 and a run below the centre alone"
    return RuleChoice((*SHEWHART, run), left_out, why if left_out else "")
