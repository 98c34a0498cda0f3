"""The gate: may a challenger take the champion's place? Pure rules; every answer has its reasons.

Escapes cost a customer, so a challenger passes where the parts show that it lets hardly more
defects through than the champion does at the same overkill (`model_store.gate.equal_overkill`); it
fails where they show that it lets more through; where there are too few of them to show either, a
person decides, and is told how many are missing. Plain counts of escapes decide nothing: a champion
that stops half of the good parts has fewer than any model worth having. By everything else the
rules ask for evidence of harm, not for proof of gain.

A product without a good class has no escapes: there pictures are told right or wrong.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from model_store.gate.equal_overkill import TARGET
from model_store.gate.figures import Figures

SURE = 0.05  # the level of the paired tests


class GateOutcome(StrEnum):
    """What the gate says. Only `passed` is promoted without a person."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"  # too few parts to tell: a person may decide, with a reason
    FIRST = "first"  # there is no champion to compare with: a person decides


@dataclass(frozen=True, slots=True)
class Rules:
    """What a challenger may cost.

    Attributes:
        least_defects: with fewer defective parts in every set, nothing passes.
        escape_margin: share of the defects by which the escapes must not grow.
        escape_target: share of the defects that may pass, which decides where models are compared.
        least_pictures: the like of `least_defects`, without a good class.
        review_growth: by how much the share of pictures sent to a person may grow, without one.
        macro_f1_loss: by how much macro F1 may fall, even where chance could explain it; without.
        class_pictures: a class with fewer pictures is kept out of the rule on classes.
        escape_sure: how surely escapes must not grow, one side. Of models that add just the margin
            one in 40 passes at the usual 97.5 %. The least of 95, 97.5, 98.5, 99 and 99.5 % at
            which no kind of challenger that adds the margin or more is expected to pass more often
            than once in 50, on draws of `benchmarks.studies.gate` from 1000 on.
    """

    least_defects: int = 100
    escape_margin: float = 0.02
    escape_target: float = TARGET
    least_pictures: int = 20
    review_growth: float = 0.05
    macro_f1_loss: float = 0.02
    class_pictures: int = 3
    escape_sure: float = 0.99


@dataclass(frozen=True, slots=True)
class Decision:
    """The gate's answer, the sentences that explain it, and the figures behind them."""

    outcome: GateOutcome
    reasons: tuple[str, ...]
    figures: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether the challenger may be promoted without a person."""
        return self.outcome is GateOutcome.PASSED


def decide(
    sets: Mapping[str, Figures],
    rules: Rules,
    *,
    lost_classes: Sequence[str] = (),
    notes: Sequence[str] = (),
) -> Decision:
    """Judge a challenger by what was found on each set of pictures.

    Args:
        sets: figures by set, such as "folds" and "golden"; a set without pictures is left out.
        rules: what a challenger may cost.
        lost_classes: classes that the champion knows and the challenger does not.
        notes: what a reader of the decision should know besides.
    """
    figures = {name: asdict(found) for name, found in sets.items()}
    against = [
        f"{name}: {problem}" for name, found in sets.items() for problem in _problems(found, rules)
    ]
    if lost_classes:
        against.insert(0, f"it no longer knows {', '.join(lost_classes)}")
    if against:
        return Decision(GateOutcome.FAILED, (*against, *notes), figures)
    open_ = _open(sets, rules)
    if open_:
        return Decision(GateOutcome.UNDECIDED, (*open_, *notes), figures)
    good = tuple(f"{name}: {_praise(found)}" for name, found in sets.items())
    return Decision(GateOutcome.PASSED, (*good, *notes), figures)


def _open(sets: Mapping[str, Figures], rules: Rules) -> list[str]:
    """Why nothing is shown, set by set; empty where one set shows that no harm is done."""
    if not any(found.scored for found in sets.values()):
        pictures = sum(found.pictures for found in sets.values())
        few = f"too few pictures to decide: {pictures} of the {rules.least_pictures} needed"
        return [few] if pictures < rules.least_pictures else []
    said = {name: _missing(found, rules) for name, found in sets.items()}
    if None in said.values():
        return []
    return [f"{name}: {words}" for name, words in said.items()]


def _missing(found: Figures, rules: Rules) -> str | None:
    """What keeps a set from showing that no harm is done; None where it does."""
    equal = found.equal
    if equal is None:
        return "good parts and defects are needed to compare the two at the same overkill"
    enough = equal.enough(rules.escape_margin, rules.escape_sure)
    if equal.defects < rules.least_defects:
        more = max(rules.least_defects, enough or 0) - equal.defects
        return (
            f"too few defects to decide: {equal.defects} defective parts of the "
            f"{rules.least_defects} needed; about {more} more would do ({equal.words()})"
        )
    most = equal.at_most(rules.escape_sure)
    if most <= rules.escape_margin:
        return None
    could = (
        f"up to {most:.1%} more of the defects could escape, by {rules.escape_sure:.0%} "
        f"confidence, and {rules.escape_margin:.1%} may"
    )
    if enough is None:
        return f"{could}: more labels, or better ones ({equal.words()})"
    more = max(enough - equal.defects, 1)
    return f"{could}: about {more} more defective parts would show it ({equal.words()})"


def first(notes: Sequence[str] = ()) -> Decision:
    """The answer for a product without a champion."""
    return Decision(
        GateOutcome.FIRST, ("there is no champion to compare with; a person decides", *notes), {}
    )


def _problems(found: Figures, rules: Rules) -> list[str]:
    problems = [] if found.scored else _without_good(found, rules)
    if found.equal is not None and found.equal.low > 0:
        problems.append(f"more defects escape: {found.equal.words()}")
    if found.own is not None and found.own.broken:
        problems.append(f"the promise is broken: {found.own.words()}")
    if found.only_champion > found.only_challenger and found.mcnemar_p < SURE:
        problems.append(
            f"{found.only_champion} pictures are told right only by the champion and "
            f"{found.only_challenger} only by the challenger (exact McNemar "
            f"p = {found.mcnemar_p:.2g})"
        )
    problems += [
        f"{row.class_code} falls from {row.champion_recall:.0%} to {row.challenger_recall:.0%} "
        f"of {row.support} found, below {row.floor:.0%}, the lower end of the champion's interval"
        for row in found.classes
        if row.support >= rules.class_pictures and row.challenger_recall < row.floor
    ]
    return problems


def _without_good(found: Figures, rules: Rules) -> list[str]:
    """What counts where no class is good, or nobody knows how sure the models are of it."""
    old, new = found.champion, found.challenger
    problems = []
    if new["escapes"] > old["escapes"]:
        problems.append(
            f"escapes rise from {old['escapes']:.0f} to {new['escapes']:.0f} "
            f"of {found.pictures} pictures"
        )
    low, high = found.macro_f1_interval
    if high < 0 or found.macro_f1_difference < -rules.macro_f1_loss:
        problems.append(
            f"macro F1 falls by {-found.macro_f1_difference:.3f} "
            f"(95 % interval of the difference {low:+.3f} to {high:+.3f})"
        )
    if new["review_rate"] - old["review_rate"] > rules.review_growth:
        problems.append(
            f"the share for review grows from {old['review_rate']:.1%} to "
            f"{new['review_rate']:.1%}, more than {rules.review_growth:.1%}"
        )
    return problems


def _praise(found: Figures) -> str:
    old, new, equal = found.champion, found.challenger, found.equal
    if equal is not None:
        return (
            f"no worse: {equal.words()}; where {equal.target:.1%} of the defects pass, "
            f"{equal.challenger_passes:.0%} of {equal.good} good parts do, "
            f"{equal.champion_passes:.0%} by the champion"
        )
    if found.scored:
        return f"{found.pictures} pictures, of good parts or of defects alone, decide nothing"
    return (
        f"no worse on {found.pictures} pictures: macro F1 {old['macro_f1']:.3f} to "
        f"{new['macro_f1']:.3f}, escapes {old['escapes']:.0f} to {new['escapes']:.0f}, review "
        f"{old['review_rate']:.1%} to {new['review_rate']:.1%} "
        f"(exact McNemar p = {found.mcnemar_p:.2g})"
    )
