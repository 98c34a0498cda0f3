"""Figures of docs/studies.md from the results: `python -m benchmarks.studies.page`.

Every table stands between two markers and is made here; every plot is made by
`benchmarks.studies.plots`. A test says when either is behind its result file.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from benchmarks.studies import plots, quality_plots, quality_tables, unlike_good_page
from benchmarks.studies.markdown import percent, points, section, table
from benchmarks.studies.report import RESULTS, read

PAGE = Path(__file__).parents[2] / "docs" / "studies.md"
Result = dict[str, Any]


@click.command()
def main() -> None:
    """Bring docs/studies.md and docs/plots/ up to date."""
    for name, (_, plot) in STUDIES.items():
        if (RESULTS / f"{name}.json").exists():
            plot(read(name)["rows"])
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    click.echo(f"{PAGE.name} and {plots.PLOTS.name}/ are current", err=True)


def updated(page: str) -> str:
    """The page with its tables made anew from the result files."""
    for name, (tables, _) in STUDIES.items():
        if not (RESULTS / f"{name}.json").exists():
            continue
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        body = f"{begin}\n{tables(read(name))}\n{end}"
        page = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: body, page, flags=re.S)  # noqa: B023
    return page


def _heldout(result: Result) -> str:
    ratios = result["ratios"]
    labels = [key.removesuffix(": caught") for key in ratios if key.endswith(": caught")]
    parts = ("caught", "worst class caught", "known parts reviewed")
    wide = {
        (r["pictures"], r["held_out"]): r for r in result["rows"] if r["policy"] == "novelty 5 %"
    }
    return section(
        result,
        table(
            "pictures | rules | caught, mean | caught, worst class | known parts reviewed",
            (
                [*label.split(", ", 1), *(percent(ratios[f"{label}: {part}"]) for part in parts)]
                for label in labels
            ),
        ),
        "Every class, under the default rules and under 5 % novelty:",
        table(
            "pictures | held out | caught | of it novel | caught at 5 % novelty",
            (
                [
                    row["pictures"],
                    row["held_out"],
                    percent(row["caught"]),
                    percent(row["novel"]),
                    percent(wide[row["pictures"], row["held_out"]]["caught"]),
                ]
                for row in result["rows"]
                if row["policy"] == "default"
            ),
        ),
    )


def _risk(result: Result) -> str:
    shares = ("setting", "review_share", "escape_rate", "overkill_rate", "error_rate")
    return section(
        result,
        table(
            "pictures | asked to review | reviewed | escapes | overkill | wrong class, of the rest",
            (
                [row["pictures"], *(percent(row[share]) for share in shares)]
                for row in result["rows"]
                if row["study"] == "risk"
            ),
        ),
        table(
            "pictures | calibration | NLL | ECE | accuracy",
            (
                [
                    row["pictures"],
                    row["setting"],
                    *(f"{row[key]:.3f}" for key in ("nll", "ece", "accuracy")),
                ]
                for row in result["rows"]
                if row["study"] == "calibration"
            ),
        ),
    )


def _drift(result: Result) -> str:
    ratios = result["ratios"]
    sides = ("", "psi ")  # what a ratio's name has before it: ours, and the one we compare with
    often = "false alarms in 10,000 parts"
    rows = [
        [
            f"false alarms in {ratios['undrifted parts']:,} undrifted parts",
            *(str(ratios[f"{side}false alarms"]) for side in sides),
        ],
        [often, *(f"{ratios[f'{side}{often}']:.2f}" for side in sides)],
    ]
    for kind in ("fade", "step"):
        shares = [percent(ratios[f"{kind}: {side}caught"]) for side in sides]
        rows.append([f"{kind}: cameras that noticed", *shares])
        for what in ("median delay", "longest delay"):
            delays = [ratios[f"{kind}: {side}{what}"] for side in sides]
            cells = ["–" if delay is None else f"{delay:.0f}" for delay in delays]
            rows.append([f"{kind}: {what}, parts", *cells])
    return section(result, table("| charts | PSI over 0.2", rows))


def _gate(result: Result) -> str:
    cases = [row for row in result["rows"] if "case" in row]
    bands = [row for row in result["rows"] if "true_from" in row]
    return section(
        result,
        table(
            "set | challenger | wrong labels | defects to compare on | escapes it adds in truth | "
            "the gate sees | passed | failed | undecided",
            (
                [
                    row["set"],
                    row["case"],
                    percent(row["wrong"]),
                    f"{row['defects']:.0f}",
                    points(row["true"]),
                    points(row["seen"]),
                    *_outcomes(row),
                ]
                for row in cases
            ),
        ),
        table(
            "set | escapes it adds in truth | comparisons | passed | failed | undecided",
            (
                [
                    row["set"],
                    f"{points(row['true_from'])} to {points(row['true_to'])}",
                    str(row["comparisons"]),
                    *_outcomes(row),
                ]
                for row in bands
            ),
        ),
    )


def _outcomes(row: dict[str, Any]) -> list[str]:
    shares = (row[outcome] for outcome in ("passed", "failed", "undecided"))
    return ["–" if share is None else percent(share) for share in shares]


def _promises(result: Result) -> str:
    return section(
        result,
        table(
            "pictures | labels | promise held | escapes on the rest | bound | proven | "
            "good parts passed, or all judged alone",
            (
                [
                    row["pictures"],
                    row["labels"],
                    percent(row["kept"]),
                    *(f"{row[name]:.2%}" for name in ("risk", "bound")),
                    *(percent(row[name]) for name in ("proven", "alone")),
                ]
                for row in result["rows"]
            ),
        ),
    )


STUDIES: dict[str, tuple[Callable[[Result], str], Callable[[Any], None]]] = {
    "study_heldout": (_heldout, plots.heldout),
    "study_riskcoverage": (_risk, plots.risk),
    "study_drift": (_drift, plots.drift),
    "study_gate": (_gate, plots.gate),
    "study_promises": (_promises, plots.promises),
    "study_coverage": (quality_tables.coverage, quality_plots.coverage),
    "study_prevalence": (quality_tables.prevalence, quality_plots.prevalence),
    "study_run_length": (quality_tables.run_length, quality_plots.run_length),
    "study_unlike_good": (unlike_good_page.tables, unlike_good_page.plot),
}

if __name__ == "__main__":
    main()
