"""What two models let pass by the thresholds that they serve with, against what was promised. Pure.

Ranking parts well is not all: a model whose labels call defects good sets its threshold by them,
and lets them through however well it ranks. Only parts that no model has learned from, with labels
that somebody vouches for, can tell: golden ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from model_store.gate.paired import mcnemar
from model_store.promise.bounds import upper_bound
from producer.contract import Verdict

_SURE = 0.05  # the level of the paired test, and of the bound's one side


@dataclass(frozen=True, slots=True)
class OwnThresholds:
    """Escapes of defects by each model's own verdicts.

    Attributes:
        defects: pictures of them.
        promised: the highest share that the challenger's promise allows.
        champion, challenger: how many each lets pass.
        only_champion, only_challenger: how many of these the other does not.
    """

    defects: int
    promised: float
    champion: int
    challenger: int
    only_champion: int
    only_challenger: int

    @property
    def broken(self) -> bool:
        """Whether the challenger surely breaks its promise, and surely more than the champion."""
        least = 1 - upper_bound(self.defects - self.challenger, self.defects, 1 - _SURE)
        worse = self.only_challenger > self.only_champion
        return (
            worse
            and mcnemar(self.only_champion, self.only_challenger) < _SURE
            and least > self.promised
        )

    def words(self) -> str:
        """For people."""
        return (
            f"by its own thresholds {self.challenger} of {self.defects} defects pass, "
            f"{self.champion} by the champion's; {self.promised:.1%} may"
        )


def own_thresholds(
    champion: Sequence[Verdict], challenger: Sequence[Verdict], promised: float
) -> OwnThresholds | None:
    """Count both models' verdicts on the same defects; None where there are none."""
    if not champion:
        return None
    pairs = [
        (old is Verdict.PASS, new is Verdict.PASS)
        for old, new in zip(champion, challenger, strict=True)
    ]
    return OwnThresholds(
        defects=len(pairs),
        promised=promised,
        champion=sum(old for old, _ in pairs),
        challenger=sum(new for _, new in pairs),
        only_champion=sum(old and not new for old, new in pairs),
        only_challenger=sum(new and not old for old, new in pairs),
    )
