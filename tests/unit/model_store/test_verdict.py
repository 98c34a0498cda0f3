from __future__ import annotations

import subprocess
import sys
from math import inf, nan

import pytest

from linewatch.errors import ModelError
from model_store.verdict import Judgement, Thresholds, judge
from producer.contract import Reason, Verdict

CLASSES = ("bent", "good", "cut")


@pytest.mark.parametrize(
    ("shares", "good", "below", "expected"),
    [
        ([0.1, 0.8, 0.1], "good", 0.5, (Verdict.PASS, "good", 0.8, None)),
        ([0.8, 0.1, 0.1], "good", 0.5, (Verdict.DEFECT, "bent", 0.8, None)),
        ([0.1, 0.1, 0.8], "good", 0.5, (Verdict.DEFECT, "cut", 0.8, None)),
        ([0.1, 0.8, 0.1], None, 0.5, (Verdict.DEFECT, "good", 0.8, None)),
        ([0.3, 0.4, 0.3], "good", 0.5, (Verdict.REVIEW, "good", 0.4, Reason.UNCERTAIN)),
        ([0.4, 0.3, 0.3], "good", 0.5, (Verdict.REVIEW, "bent", 0.4, Reason.UNCERTAIN)),
        ([0.25, 0.5, 0.25], "good", 0.5, (Verdict.PASS, "good", 0.5, None)),  # at the line: judged
        ([0.25, 0.5, 0.25], "good", 0.0, (Verdict.PASS, "good", 0.5, None)),
        ([0.0, 1.0, 0.0], "good", 1.0, (Verdict.PASS, "good", 1.0, None)),
        ([0.5, 0.5, 0.0], "good", 0.5, (Verdict.DEFECT, "bent", 0.5, None)),  # a tie: the first
        ([nan, 0.9, 0.1], "good", 0.5, (Verdict.REVIEW, None, None, Reason.NOT_FINITE)),
        ([0.1, inf, 0.1], "good", 0.5, (Verdict.REVIEW, None, None, Reason.NOT_FINITE)),
    ],
)
def test_the_rules(
    shares: list[float], good: str | None, below: float, expected: Judgement
) -> None:
    thresholds = Thresholds(review_below=below)
    for given in (shares, dict(zip(reversed(CLASSES), reversed(shares), strict=True))):
        result = judge(given, classes=CLASSES, good_class=good, thresholds=thresholds)
        assert result == expected


@pytest.mark.parametrize("shares", [[], [1.0], [0.2] * 4, {"bent": 1.0}, dict.fromkeys("abc", 0.3)])
def test_probabilities_that_do_not_fit(shares: object) -> None:
    with pytest.raises(ModelError):
        judge(shares, classes=CLASSES, good_class="good", thresholds=Thresholds())  # type: ignore[arg-type]


@pytest.mark.parametrize("below", [-0.1, 1.1, nan])
def test_a_threshold_is_a_probability(below: float) -> None:
    with pytest.raises(ValueError, match="review_below"):
        Thresholds(review_below=below)


def test_the_rules_need_no_numpy_and_no_torch() -> None:
    script = (
        "import sys, model_store.verdict; print({'numpy', 'torch', 'sklearn'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "set()"
