"""How many escapes a person's looks save, and whether the probabilities mean what they say.

`python -m benchmarks.studies.riskcoverage --cache DIR [--photographs DIR]`. The thresholds and the
calibration come from half of the pictures, as training would set them; what they do is measured on
the other half.
"""

from __future__ import annotations

from pathlib import Path

import click
import numpy as np

from benchmarks.studies import report
from benchmarks.studies.features import Encoders
from benchmarks.studies.sets import Labelled, labelled_sets, options, probabilities, split
from model_store.heads.fit import fit_head
from model_store.validation.crossval import cross_validate
from model_store.verdicts import calibration, risk
from model_store.verdicts.calibration import Ints
from quality.arrays import Floats

SEEDS = 10
SHARES = (0.0, 0.02, 0.05, 0.08, 0.12, 0.2, 0.3, 0.5)
Row = dict[str, object]


@click.command()
@options
def main(cache: Path, photographs: Path | None, weights: Path | None) -> None:
    """Measure and write benchmarks/results/study_riskcoverage.json."""
    encoders = Encoders(cache, weights)
    rows: list[Row] = []
    for data in labelled_sets(encoders, cache, photographs):
        runs = [_one(data, seed) for seed in range(SEEDS)]
        for key in runs[0]:
            figures = {
                name: float(np.mean([run[key][name] for run in runs])) for name in runs[0][key]
            }
            rows.append({"pictures": data.name, "study": key[0], "setting": key[1], **figures})
            click.echo(f"{rows[-1]}", err=True)
    settings = {"encoders": encoders.description, "seeds": SEEDS, "trained_share": 0.5}
    report.write("study_riskcoverage", settings=settings, rows=rows, ratios=_ratios(rows))


def _one(data: Labelled, seed: int) -> dict[tuple[str, object], dict[str, float]]:
    train = split(data.labels, 0.5, seed)
    features, labels = data.features[train], data.labels[train].tolist()
    validation = cross_validate(features, labels, random_state=seed)
    names = np.asarray(validation.classes)
    seen = np.searchsorted(names, data.labels[train])[validation.tested]
    fresh = np.searchsorted(names, data.labels[~train])
    ours = validation.probabilities[validation.tested]
    head = fit_head(features, labels)
    raw = probabilities(head, data.features[~train])
    temperature = calibration.fit_temperature(ours, seen)
    scaled = calibration.tempered(raw, temperature)
    found: dict[tuple[str, object], dict[str, float]] = {}
    for name, shares in (
        ("none", raw),
        ("temperature", scaled),
        ("one-vs-rest", _one_vs_rest(ours, seen, raw)),
    ):
        found["calibration", name] = {
            "nll": calibration.negative_log_likelihood(shares, fresh),
            "ece": calibration.expected_calibration_error(shares, fresh),
            "accuracy": float((shares.argmax(axis=1) == fresh).mean()),
        }
    good = validation.classes.index(data.good) if data.good is not None else None
    chosen_on = risk.ranked(calibration.tempered(ours, temperature), seen, good)
    measured_on = risk.ranked(scaled, fresh, good)
    for share in SHARES:
        point = risk.operating_point(measured_on, risk.review_below_for_share(chosen_on, share))
        found["risk", share] = point.model_dump()
    return found


def _one_vs_rest(ours: Floats, actual: Ints, raw: Floats) -> Floats:
    """Platt's sigmoid for each class against the others, scaled to add up to 1."""
    from sklearn.linear_model import LogisticRegression

    given = np.empty_like(raw)
    for index in range(raw.shape[1]):
        fitted = LogisticRegression(C=1e6, max_iter=1000)
        fitted.fit(_odds(ours[:, index]), actual == index)
        given[:, index] = fitted.predict_proba(_odds(raw[:, index]))[:, 1]
    return np.asarray(given / given.sum(axis=1, keepdims=True))


def _odds(shares: Floats) -> Floats:
    clipped = np.clip(shares, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(clipped / (1 - clipped))[:, None])


def _ratios(rows: list[Row]) -> dict[str, object]:
    ratios: dict[str, object] = {}
    for pictures in dict.fromkeys(str(row["pictures"]) for row in rows):
        of = {(r["study"], r["setting"]): r for r in rows if r["pictures"] == pictures}
        ratios[f"{pictures}: escapes with no review"] = of["risk", 0.0]["escape_rate"]
        ratios[f"{pictures}: escapes with 8 % review"] = of["risk", 0.08]["escape_rate"]
        ratios[f"{pictures}: review share asked 8 %"] = of["risk", 0.08]["review_share"]
        ratios[f"{pictures}: ECE before"] = of["calibration", "none"]["ece"]
        ratios[f"{pictures}: ECE after"] = of["calibration", "temperature"]["ece"]
        ratios[f"{pictures}: NLL before"] = of["calibration", "none"]["nll"]
        ratios[f"{pictures}: NLL after"] = of["calibration", "temperature"]["nll"]
        ratios[f"{pictures}: NLL one-vs-rest"] = of["calibration", "one-vs-rest"]["nll"]
    return ratios


if __name__ == "__main__":
    main()
