"""How often the gate promotes a worse model, and how often it refuses a better one.

`python -m benchmarks.studies.gate --set cells=FILE.npz --set cable=FILE.npz`. Each file holds
`features` [n, d], `labels` [n] and `groups` [n], the part that each picture shows; one class is
called good. Each draw parts the set: a test part that no model and no gate sees says what each
model is worth in truth; from the rest the labels come. Champion and challenger are fitted as the
product fits them, and the gate compares them on the labels as they are known, wrong ones included.

A rule is chosen on other draws (`--first-draw 1000`) than those that say what it is worth. Fitting
takes the time and no rule changes it: with `--kept DIR` it is done once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from functools import lru_cache, partial
from hashlib import sha256
from itertools import product
from pathlib import Path

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


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What champion and challenger said, the probabilities of each class.

    `labels` and `parts` are of the labelled pictures, of which `old` and `new` are by models that
    were fitted without each one's fold. `bad` is the truth about the test part, and `old_on_test`
    and `new_on_test` are of that.
    """

    labels: Names
    parts: Names
    old: Floats
    new: Floats
    old_classes: Names
    new_classes: Names
    bad: NDArray[np.bool_]
    old_on_test: Floats
    new_on_test: Floats


@dataclass(frozen=True, slots=True)
class Job:
    """One comparison: which draw of which set, who learned from what, and where it is kept."""

    name: str
    file: str
    case: Case
    seed: int
    kept: Path | None


CASES = (
    Case("later", 0.0), Case("later", 0.2), Case("later", 0.3),
    Case("corrected", 0.2), Case("corrected", 0.3), Case("fewer", 0.0),
)  # fmt: skip


@click.command()
@click.option("--set", "sets", multiple=True, required=True, metavar="NAME=FILE.npz")
@click.option("--draws", default=20, show_default=True)
@click.option("--first-draw", default=0, show_default=True, help="The draws are numbered.")
@click.option("--kept", type=click.Path(path_type=Path), help="Folder for what the models said.")
@click.option("--workers", default=2, show_default=True)
def main(sets: Sequence[str], draws: int, first_draw: int, kept: Path | None, workers: int) -> None:
    """Draw, compare and write benchmarks/results/study_gate.json."""
    rows: list[dict[str, object]] = []
    numbers = range(first_draw, first_draw + draws)
    files = [one.split("=", 1) for one in sets]
    jobs = [
        Job(name, file, case, seed, kept)
        for seed, (name, file), case in product(numbers, files, CASES)
    ]
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers) as pool:
        for row in pool.map(_comparison, jobs):
            rows.append(row)
            click.echo(f"{len(rows)} of {len(jobs)}: {row}", err=True)
    settings = {
        "draws": draws, "first_draw": first_draw, "rules": repr(Rules()),
        "test_share": TEST, "early_share": EARLY,
    }  # fmt: skip
    summary = [*_by_case(rows), *_by_truth(rows)]
    report.write("study_gate", settings=settings, rows=summary, ratios=_ratios(rows))


@lru_cache(maxsize=4)
def _labelled(file: str) -> tuple[Floats, Names, Names]:
    with np.load(file) as kept:
        features, labels, groups = (kept[name] for name in ("features", "labels", "groups"))
    return features.astype(np.float16).astype(np.float64), labels.astype(str), groups.astype(str)


@lru_cache(maxsize=4)
def _digest(file: str) -> str:
    return sha256(Path(file).read_bytes()).hexdigest()[:12]


def _comparison(job: Job) -> dict[str, object]:
    said, case = _kept(job), job.case
    folds = (_opinion(said.old, said.old_classes), _opinion(said.new, said.new_classes))
    found = compare(said.labels.tolist(), *folds, good_class=GOOD, parts=said.parts.tolist())
    assert found.equal is not None
    tested = (
        _opinion(said.old_on_test, said.old_classes),
        _opinion(said.new_on_test, said.new_classes),
    )
    old, better = (_escapes(model, said.bad, found.equal.overkill) for model in tested)
    return {
        "set": job.name,
        "case": case.kind,
        "wrong": case.wrong,
        "seed": job.seed,
        "defects": found.equal.defects,
        "overkill": found.equal.overkill,
        "true": better - old,
        "seen": found.equal.difference,
        "outcome": str(decide({"folds": found}, Rules()).outcome),
    }


def _kept(job: Job) -> Said:
    """What was said, asked only where no file has it."""
    if job.kept is None:
        return _said(job)
    case = f"{job.case.kind}-{job.case.wrong:g}"
    path = job.kept / f"{_digest(job.file)}-{case}-{job.seed}.npz"
    if not path.exists():
        draft = path.with_suffix(".draft.npz")
        np.savez_compressed(draft, **asdict(_said(job)))
        draft.rename(path)
    with np.load(path) as found:
        return Said(**found)


def _said(job: Job) -> Said:
    """Fit both models as the product does, and ask them."""
    features, truth, groups = _labelled(job.file)
    rng = np.random.default_rng([7, job.seed])
    parts = rng.permutation(np.unique(groups))
    test = np.isin(groups, parts[: round(TEST * len(parts))])
    known = np.flatnonzero(~test)
    early = np.isin(
        groups[known], parts[round(TEST * len(parts)) :][: round(EARLY * len(parts) * (1 - TEST))]
    )
    now, then, new = _told(job.case, truth[known], early, rng)
    folds = assign_folds(now.tolist(), FOLDS, RANDOM_STATE, groups[known].tolist())
    asked = folds != UNTESTED
    x, both = features[known], []
    for told in (then, new):
        classes = tuple(sorted({label for label in told if label is not None}))
        shares = out_of_fold(_fit, x, told, folds, classes, groups[known].tolist())
        mine = [row for row, label in enumerate(told) if label is not None]
        head = _fit(x[mine], [str(told[row]) for row in mine])
        assert head.classes == classes
        both.append((np.array(classes), shares[asked], probabilities(head, features[test])))
    (old_classes, old, old_on_test), (new_classes, better, new_on_test) = both
    return Said(
        labels=now[asked],
        parts=groups[known][asked],
        old=old,
        new=better,
        old_classes=old_classes,
        new_classes=new_classes,
        bad=truth[test] != GOOD,
        old_on_test=old_on_test,
        new_on_test=new_on_test,
    )


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


def _opinion(shares: Floats, named: Names) -> Opinion:
    classes: list[str] = named.tolist()
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
