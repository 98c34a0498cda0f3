"""Does every accepted picture have exactly one row? And how often was the verdict right?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Engine

from db.inspections.inspections import outcomes
from db.inspections.records import Outcome
from db.reports.counts import hourly_total
from producer.contract import Verdict


@dataclass(frozen=True, slots=True)
class Account:
    """The books: accepted = judged + rejected + dead-lettered, or something is wrong."""

    accepted: int
    judged: int
    rejected: int
    dead_lettered: int
    duplicates: int

    @property
    def lost(self) -> int:
        """Accepted pictures without a row."""
        return self.accepted - self.judged - self.rejected - self.dead_lettered

    @property
    def balanced(self) -> bool:
        """Whether every accepted picture has exactly one row."""
        return self.lost == 0 and self.duplicates == 0


@dataclass(frozen=True, slots=True)
class Score:
    """How well the first choices agree with the truth."""

    accuracy: float | None
    macro_f1: float | None
    judged: int


def account(
    engine: Engine, accepted: list[UUID], product: str
) -> tuple[Account, dict[UUID, Outcome]]:
    """Count the rows of the accepted pictures. `duplicates` is how much the hourly roll-up of
    `product`, which grows with every verdict counted, exceeds the rows there are.
    """
    found = outcomes(engine, accepted)
    verdicts = [Verdict(outcome.verdict) for outcome in found.values()]
    return (
        Account(
            accepted=len(accepted),
            judged=sum(verdict.judged for verdict in verdicts),
            rejected=verdicts.count(Verdict.REJECTED),
            dead_lettered=verdicts.count(Verdict.DEAD_LETTER),
            duplicates=hourly_total(engine, product) - len(found),
        ),
        found,
    )


def score(found: Mapping[UUID, Outcome], truth: Mapping[UUID, str]) -> Score:
    """Accuracy and macro F1 of the first choice, over the judged pictures with known truth."""
    from sklearn.metrics import accuracy_score, f1_score

    pairs = [
        (truth[id_], outcome.defect_class)
        for id_, outcome in found.items()
        if id_ in truth and outcome.defect_class is not None
    ]
    if not pairs:
        return Score(None, None, 0)
    actual, predicted = zip(*pairs, strict=True)
    return Score(
        accuracy=float(accuracy_score(actual, predicted)),
        macro_f1=float(f1_score(actual, predicted, average="macro", zero_division=0)),
        judged=len(pairs),
    )
