"""A defect that nobody has labelled yet: is it passed as good?

`python -m benchmarks.studies.heldout --cache DIR [--photographs DIR]`. Each class but the good one
is held out of training in turn; the model is then shown its pictures, and known parts it has not
seen, which tell what the caution costs. Where no class is good, a defect is caught if it is not
taken for another one.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import click
import numpy as np

from benchmarks.studies import report
from benchmarks.studies.features import Encoders
from benchmarks.studies.sets import Labelled, judgements, labelled_sets, options, split
from linewatch.products import Costs
from model_store.heads.fit import fit_head
from model_store.validation.crossval import cross_validate
from model_store.verdicts.decisions import decide
from model_store.verdicts.policy import Policy
from producer.contract import Reason, Verdict

SEEDS = 5
TRAINED_SHARE = 0.7
POLICIES = {
    "first choice": Policy(review_below=0.0),
    "default": Policy(novelty_rate=0.005, unlike_good_rate=0.02),
    "8 % review": Policy(max_review_share=0.08, novelty_rate=0.005),
    "novelty 5 %": Policy(novelty_rate=0.05),
    "conformal 10 %": Policy(conformal_alpha=0.1, novelty_rate=0.005),
    "costs": Policy(
        costs=Costs(escape=300, overkill=4, review=1, defect_rate=0.02), novelty_rate=0.005
    ),
}
Row = dict[str, object]


@click.command()
@click.option("--processes", default=2, show_default=True)
@options
def main(cache: Path, photographs: Path | None, weights: Path | None, processes: int) -> None:
    """Hold each class out and write benchmarks/results/study_heldout.json."""
    encoders = Encoders(cache, weights)
    tasks = [
        (data, held_out)
        for data in labelled_sets(encoders, cache, photographs)
        for held_out in data.classes
        if held_out != data.good
    ]
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        rows = [row for found in pool.map(_held_out, *zip(*tasks, strict=True)) for row in found]
    settings = {
        "encoders": encoders.description,
        "seeds": SEEDS,
        "trained_share": TRAINED_SHARE,
        "policies": {name: repr(policy) for name, policy in POLICIES.items()},
    }
    report.write("study_heldout", settings=settings, rows=rows, ratios=_ratios(rows))


def _held_out(data: Labelled, held_out: str) -> list[Row]:
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for seed in range(SEEDS):
        for name, figures in _one(data, held_out, seed).items():
            found[name].append(figures)
    rows = []
    for name, runs in found.items():
        mean = {key: float(np.mean([run[key] for run in runs])) for key in runs[0]}
        low = min(run["caught"] for run in runs)
        rows.append(
            {"pictures": data.name, "held_out": held_out, "policy": name, **mean, "caught_low": low}
        )
        click.echo(f"{data.name:13} {held_out:22} {name:15} caught {mean['caught']:.2f}", err=True)
    return rows


def _one(data: Labelled, held_out: str, seed: int) -> dict[str, dict[str, float]]:
    known = data.labels != held_out
    train = known & split(data.labels, TRAINED_SHARE, seed)
    features, labels = data.features[train], data.labels[train].tolist()
    head = fit_head(features, labels)
    validation = cross_validate(features, labels, random_state=seed)
    fresh = known & ~train
    found = {}
    for name, policy in POLICIES.items():
        decided = decide(head, validation, features, labels, good_class=data.good, policy=policy)
        strange = judgements(decided, data.features[~known], data.good)
        usual = judgements(decided, data.features[fresh], data.good)
        verdicts = np.array([one.verdict for one in strange])
        missed = Verdict.PASS if data.good is not None else Verdict.DEFECT
        novel = np.array([one.reason is Reason.NOVEL for one in strange])
        defective = data.labels[fresh] != data.good
        said = np.array([one.verdict for one in usual])
        right = np.array([one.defect_class for one in usual]) == data.labels[fresh]
        found[name] = {
            "caught": float((verdicts != missed).mean()),
            "review": float((verdicts == Verdict.REVIEW).mean()),
            "novel": float(novel.mean()),
            "known_review": float((said == Verdict.REVIEW).mean()),
            "known_escapes": float((said == Verdict.PASS)[defective].mean()),
            "known_right": float(right.mean()),
        }
    return found


def _ratios(rows: list[Row]) -> dict[str, object]:
    """The mean and the worst class's share caught, and what known parts pay for it."""
    ratios: dict[str, object] = {}
    for pictures in dict.fromkeys(str(row["pictures"]) for row in rows):
        for policy in POLICIES:
            of = [r for r in rows if (r["pictures"], r["policy"]) == (pictures, policy)]
            caught = [float(str(r["caught"])) for r in of]
            review = [float(str(r["known_review"])) for r in of]
            ratios[f"{pictures}, {policy}: caught"] = float(np.mean(caught))
            ratios[f"{pictures}, {policy}: worst class caught"] = min(caught)
            ratios[f"{pictures}, {policy}: known parts reviewed"] = float(np.mean(review))
    return ratios


if __name__ == "__main__":
    main()
