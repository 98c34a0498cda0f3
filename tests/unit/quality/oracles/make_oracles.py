"""What other programs say: makes the JSON files beside it.

python -m venv /tmp/oracles
/tmp/oracles/bin/pip install ppi-python quapy shewhart statsmodels
/tmp/oracles/bin/python tests/unit/quality/oracles/make_oracles.py
"""

from __future__ import annotations

import json
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
CANS = [
    12, 15, 8, 10, 4, 7, 16, 9, 14, 10, 5, 6, 17, 12, 22,
    8, 10, 5, 13, 11, 20, 18, 24, 15, 9, 12, 7, 13, 9, 6,
]  # fmt: skip


def write(name: str, packages: list[str], call: str, cases: list[dict[str, Any]]) -> None:
    about = {package: version(package) for package in packages}
    found = {"call": call, "packages": about, "python": platform.python_version(), "cases": cases}
    (HERE / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def ppi_python() -> None:
    """Parts, share, drawn, answered, nonconforming of each stratum, as a `Stratum` has them."""
    from ppi_py import ppi_mean_ci, ppi_mean_pointestimate

    plants = {
        "one share": [
            ("conforming", (4000, 0.1, 400, 400, 6)),
            ("nonconforming", (300, 0.1, 30, 30, 24)),
        ],
        "unanswered": [
            ("conforming", (4000, 0.1, 410, 300, 4)),
            ("nonconforming", (300, 0.1, 28, 25, 15)),
        ],
        "two shares": [
            ("conforming", (4000, 0.02, 90, 88, 3)),
            ("conforming", (2000, 0.2, 380, 380, 11)),
            ("nonconforming", (500, 0.2, 104, 100, 70)),
        ],
        "frequent": [
            ("conforming", (700, 0.5, 350, 350, 40)),
            ("nonconforming", (300, 0.5, 150, 150, 120)),
        ],
    }
    cases = []
    for name, strata in plants.items():
        said, y, weights, everyone = [], [], [], []
        for what, (parts, share, drawn, answered, bad) in strata:
            f = float(what == "nonconforming")
            everyone += [f] * parts
            said += [f] * answered
            y += [1.0] * bad + [0.0] * (answered - bad)
            weights += [drawn / (share * answered)] * answered
        labelled = np.array(y), np.array(said), np.array(everyone)
        for power in (1.0, 0.6, 0.0):
            options = {"lam": power, "w": np.array(weights)}
            low, high = ppi_mean_ci(*labelled, alpha=0.05, **options)
            mean = ppi_mean_pointestimate(*labelled, **options)
            cases.append(
                {
                    "name": f"{name}, {power}",
                    "strata": [{"said": what, "counts": counts} for what, counts in strata],
                    "power": power,
                    "mean": float(np.squeeze(mean)),
                    "low": float(np.squeeze(low)),
                    "high": float(np.squeeze(high)),
                }
            )
    call = "ppi_mean_ci(Y, Yhat, Yhat_of_all_parts, alpha=0.05, lam=power, w=1/propensity)"
    write("ppi_python", ["ppi-python"], call, cases)


def quapy() -> None:
    """The adjusted count (ACC) of a classifier whose answers are given: its input is its output."""
    from quapy.method.aggregative import ACC
    from sklearn.base import BaseEstimator

    class Given(BaseEstimator):
        def __init__(self) -> None:
            self.classes_ = np.array([0, 1])

        def fit(self, x: Any, y: Any) -> Given:
            return self

        def predict(self, x: Any) -> Any:
            return np.asarray(x)[:, 0]

    lines = [
        (60, 1000, 45, 50, 990, 1000),
        (130, 1000, 45, 50, 190, 200),
        (1, 400, 19, 20, 97, 100),
    ]
    cases = []
    for called, parts, right_bad, bad, right_good, good in lines:
        said = [1] * right_bad + [0] * (bad - right_bad + right_good) + [1] * (good - right_good)
        truth = [1] * bad + [0] * good
        labelled = np.array(said)[:, None], np.array(truth)
        method = ACC(Given(), fit_classifier=False, val_split=None, solver="exact-raise")
        method.fit(*labelled)
        made = np.array([1] * called + [0] * (parts - called))[:, None]
        names = ("called", "parts", "right_bad", "bad", "right_good", "good")
        counts = (called, parts, right_bad, bad, right_good, good)
        found = float(method.predict(made)[1])
        cases.append({**dict(zip(names, counts, strict=True)), "prevalence": found})
    call = 'ACC(classifier, fit_classifier=False, val_split=None, solver="exact-raise")'
    write("quapy", ["quapy"], call, cases)


def shewhart() -> None:
    import shewhart as sw

    rng = np.random.default_rng(7)
    sizes = rng.integers(2000, 6000, size=25)
    spread = rng.binomial(sizes, rng.normal(0.05, 0.008, size=25).clip(0.01, 0.1))
    studies = [
        ("Montgomery's cans", "p", [50] * 30, CANS),
        ("varying sizes", "p", sizes.tolist(), spread.tolist()),
        ("more than by chance", "laney_p", sizes.tolist(), spread.tolist()),
        ("Montgomery's cans, p'", "laney_p", [50] * 30, CANS),
    ]
    cases = []
    for name, kind, parts, bad in studies:
        chart = sw.laney_p if kind == "laney_p" else sw.p_chart
        found = chart(bad, size=parts, rules="none")
        cases.append(
            {
                "name": name,
                "kind": kind,
                "subgroups": list(zip(parts, bad, strict=True)),
                "centre": found.stats["p_center"],
                "sigma_z": found.stats.get("sigma_z", 1.0),
                "lower": found.table["lcl"].tolist(),
                "upper": found.table["ucl"].tolist(),
                "outside": sorted(place for one in found.signals for place in one.points),
            }
        )
    write("shewhart", ["shewhart"], 'p_chart or laney_p(counts, size=sizes, rules="none")', cases)


def statsmodels() -> None:
    from statsmodels.stats.inter_rater import cohens_kappa

    tables = [
        [[75, 1, 4], [5, 4, 1], [0, 0, 10]],
        [[44, 6], [3, 97]],
        [[10, 7, 3], [2, 12, 6], [1, 4, 15]],
    ]
    cases = []
    for table in tables:
        found = cohens_kappa(np.array(table))
        cases.append({"table": table, "kappa": found.kappa, "standard_error": found.std_kappa})
    write("statsmodels", ["statsmodels"], "cohens_kappa(table): kappa, std_kappa", cases)


if __name__ == "__main__":
    ppi_python()
    quapy()
    shewhart()
    statsmodels()
