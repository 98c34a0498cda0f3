"""Parts that people reviewed become labels, mostly good ones: the next model must be able to pass.

Seen with 0.1.0: the first model, of 151 labels that were mostly defects, stopped half of the good
parts. 278 parts that it had sent to review were labelled, nearly all of them good. The model of all
labels stopped fewer good parts and let more defects pass by its own thresholds, and was refused for
that; so was every later one, and the first served for ever.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from model_store.gate.figures import Figures, Opinion, compare
from model_store.gate.gate import GateOutcome, Rules, decide
from model_store.heads.fit import fit_head
from model_store.validation.folds import assign_folds, out_of_fold
from producer.contract import Verdict

CLASSES = ("bent", "cut", "good")
FIRST, REVIEWED = {"good": 21, "bent": 70, "cut": 60}, {"good": 250, "bent": 14, "cut": 14}
LATER = {"good": 300, "bent": 20, "cut": 20}  # reviewed in the weeks after


def labelled(*, later: bool = False) -> tuple[np.ndarray, list[str]]:
    """151 labelled parts, then 278 reviewed ones, or more; views of one product that overlap."""
    rng, kinds = np.random.default_rng(5), (FIRST, REVIEWED, *([LATER] if later else []))
    labels = [name for counts in kinds for name in counts for _ in range(counts[name])]
    centres = {name: 1.1 * rng.normal(size=12) for name in CLASSES}
    return np.stack([centres[name] + 1.5 * rng.normal(size=12) for name in labels]), labels


def opinion(shares: np.ndarray) -> Opinion:
    """The most probable class decides, as 0.1.0's rules did."""
    choices = [CLASSES[place] for place in shares.argmax(axis=1)]
    verdicts = [Verdict.PASS if name == "good" else Verdict.DEFECT for name in choices]
    kinds = [CLASSES[place] for place in shares[:, :2].argmax(axis=1)]
    return Opinion(choices, verdicts, np.log(shares[:, 2] / shares[:, :2].sum(axis=1)), kinds)


def figures(*, later: bool = False) -> Figures:
    features, labels = labelled(later=later)
    folds = assign_folds(labels, 3, 42)

    def refitted(told: Sequence[str | None]) -> Opinion:
        return opinion(out_of_fold(fit_head, features, told, folds, CLASSES))

    first = refitted([name if row < 151 else None for row, name in enumerate(labels)])
    return compare(labels, first, refitted(labels), good_class="good")


def test_labels_of_reviewed_parts_do_not_lock_the_first_model_in() -> None:
    found = figures()
    assert found.champion["overkill"] > 0.2 * 271  # what the line saw
    assert found.challenger["overkill"] < 0.5 * found.champion["overkill"]
    assert found.challenger["escapes"] > 1.5 * found.champion["escapes"]  # what it was refused for
    assert found.equal is not None
    assert found.equal.challenger < found.equal.champion
    decision = decide({"folds": found}, Rules())
    assert decision.outcome is GateOutcome.UNDECIDED, "for a person, with a reason"
    assert "about 16 more defective parts would show it" in decision.reasons[0]
    decision = decide({"folds": figures(later=True)}, Rules())
    assert decision.outcome is GateOutcome.PASSED, decision.reasons


def test_a_challenger_that_only_passes_more_is_refused_all_the_same() -> None:
    """The mirror image: fewer stopped and more through, by noise in what it learned from."""
    features, labels = labelled()
    rng = np.random.default_rng(0)
    folds = assign_folds(labels, 3, 42)
    wrong = [str(rng.choice(CLASSES)) if rng.random() < 0.8 else name for name in labels]
    both = [
        opinion(out_of_fold(fit_head, features, told, folds, CLASSES)) for told in (labels, wrong)
    ]
    found = compare(labels, *both, good_class="good")
    assert decide({"folds": found}, Rules()).outcome is GateOutcome.FAILED
