"""How often the gate promotes a worse model, and how often it refuses a better one.

`python -m benchmarks.studies.gate --set cells=FILE.npz --set cable=FILE.npz`. Each file holds
`features` [n, d], `labels` [n] and `groups` [n], the part that each picture shows; one class is
called good. Each draw parts the set: a test part that no model and no gate sees says what each
model is worth in truth; from the rest the labels come. Champion and challenger are fitted as the
product fits them, and the gate compares them on the labels as they are known, wrong ones included.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from itertools import product

import click
import numpy as np
from numpy.typing import NDArray

from benchmarks.studies import report
from model_store.gate.equal_overkill import good_border
from model_store.gate.figures import Opinion, compare
from model_store.gate.gate import Rules, decide
from model_store.heads.fit import fit_head
from model_store.heads.head import probabilities
from model_store.validation.folds import UNTESTED, assign_folds, out_of_fold
from producer.contract import Verdict
from quality.arrays import Floats

GOOD, FOLDS, RANDOM_STATE = "good", 3, 42
TEST, EARLY = 0.6, 0.38  # of all parts; of the others, those that the champion knew
Names = NDArray[np.str_]
BANDS = ((0.02, 1.0), (0.0, 0.02), (-0.05, 0.0), (-1.0, -0.05))  # true growth of the escapes
_fit = partial(fit_head, even_with=GOOD)


@dataclass(frozen=True, slots=True)
class Case:
    """Who learned from what.

    `later`: the challenger also knows labels that came later, a share of them wrong. `corrected`: a
    share of the champion's labels was wrong; they were corrected, and more came. `fewer`: the
    challenger knows a third of the labels.
    """

    kind: str
    wrong: float


CASES = (
    Case("later", 0.0), Case("later", 0.2), Case("later", 0.3),
    Case("corrected", 0.2), Case("corrected", 0.3), Case("fewer", 0.0),
)  # fmt: skip


@click.command()
@click.option("--set", "sets", multiple=True, required=True, metavar="NAME=FILE.npz")
@click.option("--draws", default=20, show_default=True)
@click.option("--workers", default=2, show_default=True)
def main(sets: Sequence[str], draws: int, workers: int) -> None:
    """Draw, compare and write benchmarks/results/study_gate.json."""
    rows: list[dict[str, object]] = []
    jobs = [
        (*one.split("=", 1), case, seed) for seed, one, case in product(range(draws), sets, CASES)
    ]
    with ProcessPoolExecutor(workers) as pool:
        for row in pool.map(_comparison, jobs):
            rows.append(row)
            click.echo(f"{len(rows)} of {len(jobs)}: {row}", err=True)
    settings = {"draws": draws, "rules": repr(Rules()), "test_share": TEST, "early_share": EARLY}
    summary = [*_by_case(rows), *_by_truth(rows)]
    report.write("study_gate", settings=settings, rows=summary, ratios=_ratios(rows))


@lru_cache(maxsize=4)
def _labelled(file: str) -> tuple[Floats, Names, Names]:
    with np.load(file) as kept:
        features, labels, groups = (kept[name] for name in ("features", "labels", "groups"))
    return features.astype(np.float16).astype(np.float64), labels.astype(str), groups.astype(str)


def _comparison(job: tuple[str, str, Case, int]) -> dict[str, object]:
    name, file, case, seed = job
    features, truth, groups = _labelled(file)
    rng = np.random.default_rng([7, seed])
    parts = rng.permutation(np.unique(groups))
    test = np.isin(groups, parts[: round(TEST * len(parts))])
    known = np.flatnonzero(~test)
    early = np.isin(
        groups[known], parts[round(TEST * len(parts)) :][: round(EARLY * len(parts) * (1 - TEST))]
    )
    now, then, new = _told(case, truth[known], early, rng)
    folds = assign_folds(now.tolist(), FOLDS, RANDOM_STATE, groups[known].tolist())
    asked = folds != UNTESTED
    x, both, models = features[known], [], []
    for told in (then, new):
        classes = tuple(sorted({label for label in told if label is not None}))
        shares = out_of_fold(_fit, x, told, folds, classes, groups[known].tolist())
        both.append(_opinion(shares[asked], classes))
        mine = [row for row, label in enumerate(told) if label is not None]
        head = _fit(x[mine], [str(told[row]) for row in mine])
        models.append(_opinion(probabilities(head, features[test]), head.classes))
    found = compare(
        now[asked].tolist(), *both, good_class=GOOD, parts=groups[known][asked].tolist()
    )
    assert found.equal is not None
    bad = truth[test] != GOOD
    old, better = (_escapes(model, bad, found.equal.overkill) for model in models)
    return {
        "set": name,
        "case": case.kind,
        "wrong": case.wrong,
        "seed": seed,
        "defects": found.equal.defects,
        "overkill": found.equal.overkill,
        "true": better - old,
        "seen": found.equal.difference,
        "outcome": str(decide({"folds": found}, Rules()).outcome),
    }


def _told(
    case: Case, truth: Names, early: NDArray[np.bool_], rng: np.random.Generator
) -> tuple[Names, list[str | None], list[str | None]]:
    """The labels as the gate knows them, as the champion knew them, and as the challenger does."""
    now, then = truth.copy(), truth.copy()
    if case.kind == "later":
        _mislabel(now, np.flatnonzero(~early), case.wrong, rng)
    if case.kind == "corrected":
        _mislabel(then, np.flatnonzero(early), case.wrong, rng)
    few = rng.random(len(truth)) < 1 / 3
    knows = few if case.kind == "fewer" else np.ones(len(truth), bool)
    return now, _known(then, early), _known(now, knows)


def _known(labels: Names, known: NDArray[np.bool_]) -> list[str | None]:
    return [str(label) if it else None for label, it in zip(labels, known, strict=True)]


def _mislabel(
    labels: Names, rows: NDArray[np.intp], share: float, rng: np.random.Generator
) -> None:
    """Give a share of these rows another class of the set."""
    classes = np.unique(labels)
    for row in rng.permutation(rows)[: round(share * len(rows))]:
        labels[row] = rng.choice(classes[classes != labels[row]])


def _opinion(shares: Floats, classes: Sequence[str]) -> Opinion:
    good = classes.index(GOOD)
    others = [place for place in range(len(classes)) if place != good]
    sure = np.log(np.maximum(shares[:, good], 1e-38)) - np.log(
        np.maximum(shares[:, others].sum(axis=1), 1e-38)
    )
    choices = [classes[place] for place in shares.argmax(axis=1)]
    verdicts = [Verdict.PASS if name == GOOD else Verdict.DEFECT for name in choices]
    kinds = [classes[others[place]] for place in shares[:, others].argmax(axis=1)]
    return Opinion(choices, verdicts, sure, kinds)


def _escapes(model: Opinion, bad: NDArray[np.bool_], overkill: float) -> float:
    """In truth, where the gate compares: the test part's own good parts set the borders."""
    assert model.scores is not None
    borders = [good_border(model.scores[~bad], overkill * by) for by in (0.5, 1, 1.5)]
    return float(np.mean([(model.scores[bad] > border).mean() for border in borders]))


def _shares(rows: Sequence[dict[str, object]]) -> dict[str, object]:
    count = len(rows)
    return {
        "comparisons": count,
        **{
            outcome: sum(row["outcome"] == outcome for row in rows) / count if count else None
            for outcome in ("passed", "failed", "undecided")
        },
    }


def _mean(rows: Sequence[dict[str, object]], key: str) -> float:
    return float(np.mean([float(str(row[key])) for row in rows]))


def _by_case(rows: Sequence[dict[str, object]]) -> Iterator[dict[str, object]]:
    for name in dict.fromkeys(str(row["set"]) for row in rows):
        for case in CASES:
            of = [
                r
                for r in rows
                if (r["set"], r["case"], r["wrong"]) == (name, case.kind, case.wrong)
            ]
            keys = ("defects", "overkill", "true", "seen")
            means = {key: _mean(of, key) for key in keys}
            yield {"set": name, "case": case.kind, "wrong": case.wrong, **means, **_shares(of)}


def _in(rows: Sequence[dict[str, object]], low: float, high: float) -> list[dict[str, object]]:
    return [row for row in rows if low <= float(str(row["true"])) < high]


def _by_truth(rows: Sequence[dict[str, object]]) -> Iterator[dict[str, object]]:
    for name in dict.fromkeys(str(row["set"]) for row in rows):
        for low, high in BANDS:
            of = _in([row for row in rows if row["set"] == name], low, high)
            yield {"set": name, "true_from": low, "true_to": high, **_shares(of)}


def _ratios(rows: Sequence[dict[str, object]]) -> dict[str, object]:
    worse, better = _in(rows, *BANDS[0]), _in(rows, *BANDS[-1])
    return {
        "worse by 2 points or more": len(worse),
        "worse by 2 points or more: passed": _shares(worse)["passed"],
        "better by 5 points or more": len(better),
        "better by 5 points or more: refused": _shares(better)["failed"],
        "better by 5 points or more: undecided": _shares(better)["undecided"],
    }


if __name__ == "__main__":
    main()
