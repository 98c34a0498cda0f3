"""How often the gate promotes a worse model, and how often it refuses a better one.

`python -m benchmarks.studies.gate`. Champion and challenger are simulated on the same pictures: of
nine classes the good one makes 40 %, half of the challenger's answers are the champion's, and the
rest are right as often as makes it better or worse by the accuracy asked for. A wrong answer is any
other class, so that some defects are called good.
"""

from __future__ import annotations

from collections import Counter

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.studies import report
from model_store.gate import GateOutcome, Rules, decide
from model_store.gate_figures import Opinion, compare, macro_f1
from producer.contract import Verdict

CLASSES = 9
GOOD_SHARE, CHAMPION, SHARED = 0.4, 0.85, 0.5
DIFFERENCES = (-0.10, -0.05, -0.02, 0.0, 0.02, 0.05, 0.07)  # of accuracy
PICTURES = (60, 200, 600)
REPEATS, LONG = 200, 300_000
NAMES = ["good", *(f"defect-{n}" for n in range(1, CLASSES))]
Codes = NDArray[np.int64]


@click.command()
def main() -> None:
    """Simulate and write benchmarks/results/study_gate.json."""
    rows: list[dict[str, object]] = []
    for pictures in PICTURES:
        for difference in DIFFERENCES:
            outcomes = Counter(_outcome(pictures, difference, seed) for seed in range(REPEATS))
            row: dict[str, object] = {
                "pictures": pictures,
                "accuracy_difference": difference,
                "true_difference": _true_difference(difference),
                **{
                    str(o): outcomes[o] / REPEATS for o in GateOutcome if o is not GateOutcome.FIRST
                },
            }
            rows.append(row)
            click.echo(f"{row}", err=True)
    settings = {
        "champion_accuracy": CHAMPION,
        "good_share": GOOD_SHARE,
        "shared_answers": SHARED,
        "repeats": REPEATS,
        "rules": repr(Rules()),
    }
    report.write("study_gate", settings=settings, rows=rows, ratios=_ratios(rows))


def _simulated(count: int, difference: float, rng: np.random.Generator) -> tuple[Codes, ...]:
    """Truth, champion's and challenger's answers, each int64 [count]."""
    shares = [GOOD_SHARE, *[(1 - GOOD_SHARE) / (CLASSES - 1)] * (CLASSES - 1)]
    truth = rng.choice(CLASSES, p=shares, size=count)
    old = _answers(truth, CHAMPION, rng)
    own = (CHAMPION + difference - SHARED * CHAMPION) / (1 - SHARED)
    new = np.where(rng.random(count) < SHARED, old, _answers(truth, own, rng))
    return truth, old, new


def _answers(truth: Codes, accuracy: float, rng: np.random.Generator) -> Codes:
    other = (truth + rng.integers(1, CLASSES, size=len(truth))) % CLASSES
    return np.where(rng.random(len(truth)) < accuracy, truth, other)


def _outcome(pictures: int, difference: float, seed: int) -> GateOutcome:
    truth, old, new = _simulated(pictures, difference, np.random.default_rng([seed, pictures]))
    figures = compare([NAMES[c] for c in truth], _opinion(old), _opinion(new), good_class="good")
    return decide({"folds": figures}, Rules()).outcome


def _opinion(answers: Codes) -> Opinion:
    return Opinion(
        [NAMES[c] for c in answers], [Verdict.DEFECT if c else Verdict.PASS for c in answers]
    )


def _true_difference(difference: float) -> float:
    truth, old, new = _simulated(LONG, difference, np.random.default_rng(0))
    return macro_f1(truth, new, CLASSES) - macro_f1(truth, old, CLASSES)


def _ratios(rows: list[dict[str, object]]) -> dict[str, object]:
    ratios: dict[str, object] = {}
    for pictures in PICTURES:
        of = {r["accuracy_difference"]: r for r in rows if r["pictures"] == pictures}
        ratios[f"{pictures} pictures: promotes a model 5 points worse"] = of[-0.05]["passed"]
        ratios[f"{pictures} pictures: promotes an equal model"] = of[0.0]["passed"]
        better = float(str(of[0.05]["passed"]))
        ratios[f"{pictures} pictures: refuses a model 5 points better"] = 1 - better
    return ratios


if __name__ == "__main__":
    main()
