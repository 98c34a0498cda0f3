"""Plots of the studies of estimators and control charts."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.studies.plots import Rows, figure_of

_SETS = ("shewhart", "default", "western-electric", "nelson")


def coverage(rows: Rows) -> None:
    """How often each interval held the truth, by what the audit is expected to find."""
    ways = (
        ("coverage", "as chosen"),
        ("horvitz-thompson", "Horvitz–Thompson"),
        ("prediction-powered", "prediction-powered, normal"),
    )
    with figure_of("study_coverage", "coverage", len(ways)) as axes:
        for axis, (key, title) in zip(axes, ways, strict=True):
            _band(axis)
            expected = [row["expected"] for row in rows]
            axis.semilogx(expected, [row[key] for row in rows], "o", ms=2.5)
            axis.set(title=title, ylim=(0, 1.02), xlabel="nonconforming expected in the audit")
        axes[0].set_ylabel("held the true rate")


def prevalence(rows: Rows) -> None:
    """The same without an audit, by the rate of the line."""
    with figure_of("study_prevalence", "prevalence") as (axis,):
        _band(axis)
        for bad, good in dict.fromkeys((r["labelled_bad"], r["labelled_good"]) for r in rows):
            of = [r for r in rows if r["labelled_bad"] == bad and r["coverage"] is not None]
            axis.semilogx(
                [row["rate"] for row in of],
                [row["coverage"] for row in of],
                "o",
                ms=3,
                label=f"{bad} bad, {good:,} good",
            )
        axis.set(xlabel="defect rate", ylabel="held the true rate", ylim=(0.85, 1.005))
        axis.legend(fontsize=8, title="labelled")


def run_length(rows: Rows) -> None:
    """Points to a false alarm, by chart and rule set."""
    names = list(dict.fromkeys(_name(row) for row in rows))
    with figure_of("study_run_length", "run_length", 1, 4.6) as (axis,):
        for place, chosen in enumerate(_SETS):
            lengths = [row["run_length"] for row in rows if row["set"] == chosen]
            axis.barh(np.arange(len(names)) + 0.2 * (place - 1.5), lengths, 0.2, label=chosen)
        axis.set_yticks(range(len(names)), names)
        axis.invert_yaxis()
        axis.axvline(370.4, lw=0.5, color="grey")
        axis.set(xlabel="points to a false alarm")
        axis.legend(fontsize=8)


def _band(axis: Any) -> None:
    axis.axhspan(0.93, 0.97, color="0.9")


def _name(row: dict[str, Any]) -> str:
    if row["chart"] == "g":
        return f"g, {100 * row['rate']:g} %"
    varies = f", σ_z {row['sigma_z']:g}" if row["sigma_z"] != 1 else ""
    return f"{'p′' if varies else 'p'}, {100 * row['rate']:g} % of {row['parts']:,}{varies}"
