"""Made-up opinions of two models, and what the gate says of them."""

from __future__ import annotations

import numpy as np

from model_store.gate.figures import Opinion, compare
from model_store.gate.gate import GateOutcome, Rules, decide
from producer.contract import Verdict

RULES = Rules()
ACTUAL = ["good"] * 20 + ["bent"] * 20 + ["cut"] * 20


def opinion(choices: list[str], review: int = 0) -> Opinion:
    """Verdicts that follow the choices, but that the last `review` go to a person."""
    verdicts = [Verdict.PASS if name == "good" else Verdict.DEFECT for name in choices]
    return Opinion(choices, verdicts[: len(choices) - review] + [Verdict.REVIEW] * review)


def wrong(count: int, said: str, *, start: int) -> list[str]:
    """The truth, but `count` pictures from `start` on are taken for `said`."""
    return [said if start <= i < start + count else name for i, name in enumerate(ACTUAL)]


def outcome(
    champion: Opinion, challenger: Opinion, rules: Rules = RULES
) -> tuple[GateOutcome, str]:
    figures = compare(ACTUAL, champion, challenger, good_class="good")
    decision = decide({"folds": figures}, rules)
    return decision.outcome, " | ".join(decision.reasons)


def scored(
    seed: int, apart: float, actual: list[str], kinds: list[str] | None = None, review: int = 0
) -> Opinion:
    """An opinion by scores: defects lie `apart` deviations below good parts."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=len(actual)) - apart * np.array([name != "good" for name in actual])
    choices = [
        "good" if score > -apart / 2 else name if name != "good" else "cut"
        for score, name in zip(scores, actual, strict=True)
    ]
    plain = opinion(choices, review)
    return Opinion(plain.choices, plain.verdicts, scores, kinds or actual)


def many(good: int, bent: int, cut: int = 0) -> list[str]:
    return ["good"] * good + ["bent"] * bent + ["cut"] * cut


def scored_outcome(
    actual: list[str], champion: Opinion, challenger: Opinion, rules: Rules = RULES
) -> tuple[GateOutcome, str]:
    found = compare(actual, champion, challenger, good_class="good")
    decision = decide({"folds": found}, rules)
    return decision.outcome, " | ".join(decision.reasons)
