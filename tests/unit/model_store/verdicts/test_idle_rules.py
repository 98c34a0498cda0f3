from __future__ import annotations

import pytest

from model_store.verdicts.idle_rules import idle_rules
from model_store.verdicts.verdict import Thresholds

TWO, FOUR = ("good", "bad"), ("good", "a", "b", "c")


@pytest.mark.parametrize(
    ("thresholds", "classes", "named"),
    [
        (Thresholds(review_below=0.5), TWO, "review_below 0.5 never"),
        (Thresholds(review_below=0.51), TWO, None),
        (Thresholds(review_below=0.5), FOUR, None),
        (Thresholds(review_below=0.25), FOUR, "4 classes the first choice is never less probable"),
        (Thresholds(review_below=0.0), TWO, None),  # switched off
        (Thresholds(review_below=0.5, pass_from=0.9, defect_to=0.1), TWO, None),  # costs decide
        (Thresholds(review_below=0.5, proposes=True), TWO, None),
        (Thresholds(review_below=0.6, least_probabilities={}), TWO, "conformal_alpha never"),
        (Thresholds(review_below=0.6, least_probabilities={"bad": 0.1}), TWO, None),
    ],
)
def test_a_rule_that_can_never_fire(
    thresholds: Thresholds, classes: tuple[str, ...], named: str | None
) -> None:
    found = idle_rules(thresholds, classes)
    assert len(found) == (named is not None)
    assert named is None or named in found[0]
