"""The gate: may a challenger take the champion's place? Pure rules; every answer has its reasons.

The rules ask for evidence of harm, not for proof of gain: a model that sees more labels and is as
good as the old one should pass. Escapes are the exception. They cost a customer, so not one more
is accepted, however few the pictures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from model_store.gate_figures import Figures

SURE = 0.05  # the level of the paired tests


class GateOutcome(StrEnum):
    """What the gate says. Only `passed` is promoted without a person."""

    PASSED = "passed"
    FAILED = "failed"
    UNDECIDED = "undecided"  # too few pictures to tell
    FIRST = "first"  # there is no champion to compare with: a person decides


@dataclass(frozen=True, slots=True)
class Rules:
    """What a challenger may cost.

    Attributes:
        least_pictures: with fewer to compare on, the gate does not decide.
        review_growth: by how much the share of pictures sent to a person may grow.
        macro_f1_loss: by how much macro F1 may fall, even where chance could explain it.
        class_pictures: a class with fewer pictures is kept out of the rule on classes.
    """

    least_pictures: int = 20
    review_growth: float = 0.05
    macro_f1_loss: float = 0.02
    class_pictures: int = 3


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
    pictures = sum(found.pictures for found in sets.values())
    if pictures < rules.least_pictures:
        few = f"too few pictures to decide: {pictures} of the {rules.least_pictures} needed"
        return Decision(GateOutcome.UNDECIDED, (few, *notes), figures)
    good = tuple(f"{name}: {_praise(found)}" for name, found in sets.items())
    return Decision(GateOutcome.PASSED, (*good, *notes), figures)


def first(notes: Sequence[str] = ()) -> Decision:
    """The answer for a product without a champion."""
    return Decision(
        GateOutcome.FIRST, ("there is no champion to compare with; a person decides", *notes), {}
    )


def _problems(found: Figures, rules: Rules) -> list[str]:
    old, new = found.champion, found.challenger
    problems = []
    if new["escapes"] > old["escapes"]:
        problems.append(
            f"escapes rise from {old['escapes']:.0f} to {new['escapes']:.0f} "
            f"of {found.pictures} pictures"
        )
    if found.only_champion > found.only_challenger and found.mcnemar_p < SURE:
        problems.append(
            f"{found.only_champion} pictures are told right only by the champion and "
            f"{found.only_challenger} only by the challenger (exact McNemar "
            f"p = {found.mcnemar_p:.2g})"
        )
    low, high = found.macro_f1_interval
    if high < 0 or found.macro_f1_difference < -rules.macro_f1_loss:
        problems.append(
            f"macro F1 falls by {-found.macro_f1_difference:.3f} "
            f"(95 % interval of the difference {low:+.3f} to {high:+.3f})"
        )
    problems += [
        f"{row.class_code} falls from {row.champion_recall:.0%} to {row.challenger_recall:.0%} "
        f"of {row.support} found, below {row.floor:.0%}, the lower end of the champion's interval"
        for row in found.classes
        if row.support >= rules.class_pictures and row.challenger_recall < row.floor
    ]
    if new["review_rate"] - old["review_rate"] > rules.review_growth:
        problems.append(
            f"the share for review grows from {old['review_rate']:.1%} to "
            f"{new['review_rate']:.1%}, more than {rules.review_growth:.1%}"
        )
    return problems


def _praise(found: Figures) -> str:
    old, new = found.champion, found.challenger
    return (
        f"no worse on {found.pictures} pictures: macro F1 {old['macro_f1']:.3f} to "
        f"{new['macro_f1']:.3f}, escapes {old['escapes']:.0f} to {new['escapes']:.0f}, review "
        f"{old['review_rate']:.1%} to {new['review_rate']:.1%} "
        f"(exact McNemar p = {found.mcnemar_p:.2g})"
    )
