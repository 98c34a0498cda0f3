"""How many points a control chart runs until its first false alarm, by chart and rules.

`python -m benchmarks.studies.run_length`. Where rule 1 is alone its points are independent, and the
chance of a signal is summed from the distribution itself, beside what the simulation found.
"""

from __future__ import annotations

from math import ceil, exp, log1p
from typing import Any

import click
import numpy as np

from benchmarks.studies import report
from quality.charts.attribute_charts import Baseline, Kind
from quality.charts.rule_choice import NAMES, near_symmetric, rules_for
from quality.charts.run_length import RUNS, average_run_length, draw, in_parts

# Kind, rate, how many times more than by chance subgroups vary, parts of a subgroup.
CHARTS = (
    (Kind.P, 0.2, 1.0, 50),
    (Kind.P, 0.05, 1.0, 100),
    (Kind.P, 0.05, 1.0, 1_000),
    (Kind.P, 0.01, 1.0, 500),
    (Kind.P, 0.01, 1.0, 5_000),
    (Kind.LANEY, 0.05, 2.0, 5_000),
    (Kind.LANEY, 0.01, 3.0, 5_000),
    (Kind.G, 0.01, 1.0, 100),
    (Kind.G, 0.001, 1.0, 1_000),
)
SUBGROUPS = 25
DRAWN = 1_000_000  # points, for the chance of rule 1 where no sum is at hand


@click.command()
def main() -> None:
    """Simulate and write benchmarks/results/study_run_length.json."""
    rows: list[dict[str, Any]] = []
    for kind, rate, sigma_z, parts in CHARTS:
        baseline = Baseline(kind, rate, sigma_z, SUBGROUPS, SUBGROUPS * parts)
        for name in NAMES:
            rules = rules_for(baseline, name).rules
            found = average_run_length(baseline, rules, seed=len(rows))
            row = {
                "chart": str(kind),
                "rate": rate,
                "sigma_z": sigma_z,
                "parts": parts,
                "near_symmetric": near_symmetric(baseline),
                "set": name,
                "rules": ", ".join(rule.code for rule in rules),
                "run_length": found.points,
                "standard_error": found.standard_error,
                "given_up": found.given_up / found.runs,
                "in_parts": in_parts(baseline, found),
                "rule_1_alone": 1 / rule_1(baseline),
            }
            rows.append(row)
            click.echo(f"{row}", err=True)
    settings = {"runs": RUNS, "subgroups": SUBGROUPS}
    ratios = {
        f"{name}: {which.__name__} run length": which(
            row["run_length"] for row in rows if row["set"] == name
        )
        for name in NAMES
        for which in (min, max)
    }
    report.write("study_run_length", settings=settings, rows=rows, ratios=ratios)


def rule_1(baseline: Baseline) -> float:
    """The chance of a point beyond 3 sigma."""
    if baseline.kind is Kind.G:
        upper = baseline.limits(1).upper
        return exp(ceil(upper) * log1p(-baseline.rate))
    if baseline.sigma_z == 1:
        from scipy.stats import binom

        parts, limits = baseline.usual_parts, baseline.limits(baseline.usual_parts)
        counts = np.arange(parts + 1)
        outside = (counts / parts < limits.lower) | (counts / parts > limits.upper)
        return float(binom.pmf(counts[outside], parts, baseline.rate).sum())
    parts_of = np.full(DRAWN, baseline.usual_parts)
    scores = draw(baseline, parts_of, np.random.default_rng(1))
    return float((np.abs(scores) > 3).mean())


if __name__ == "__main__":
    main()
