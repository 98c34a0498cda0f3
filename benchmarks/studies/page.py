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

from benchmarks.studies import plots
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
    for name, (table, _) in STUDIES.items():
        if not (RESULTS / f"{name}.json").exists():
            continue
        begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
        body = f"{begin}\n{table(read(name))}\n{end}"
        page = re.sub(re.escape(begin) + ".*?" + re.escape(end), lambda _: body, page, flags=re.S)  # noqa: B023
    return page


def _heldout(result: Result) -> str:
    lines = [
        _about(result),
        "",
        "| pictures | rules | caught, mean | caught, worst class | known parts reviewed |",
        "|---|---|---|---|---|",
    ]
    ratios = result["ratios"]
    for key in ratios:
        if key.endswith(": caught"):
            label = key.removesuffix(": caught")
            pictures, policy = label.split(", ", 1)
            shares = (ratios[key], ratios[f"{label}: worst class caught"])
            review = ratios[f"{label}: known parts reviewed"]
            cells = " | ".join(_percent(share) for share in (*shares, review))
            lines.append(f"| {pictures} | {policy} | {cells} |")
    lines += ["", "Every class, under the default rules and under 5 % novelty:", ""]
    lines += [
        "| pictures | held out | caught | of it novel | caught at 5 % novelty |",
        "|---|---|---|---|---|",
    ]
    wide = {
        (r["pictures"], r["held_out"]): r for r in result["rows"] if r["policy"] == "novelty 5 %"
    }
    for row in result["rows"]:
        if row["policy"] == "default":
            other = wide[row["pictures"], row["held_out"]]
            cells = " | ".join(_percent(x) for x in (row["caught"], row["novel"], other["caught"]))
            lines.append(f"| {row['pictures']} | {row['held_out']} | {cells} |")
    return "\n".join(lines)


def _risk(result: Result) -> str:
    lines = [
        _about(result),
        "",
        "| pictures | asked to review | reviewed | escapes | overkill | wrong class, of the rest |",
        "|---|---|---|---|---|---|",
    ]
    for row in result["rows"]:
        if row["study"] == "risk":
            keys = ("review_share", "escape_rate", "overkill_rate", "error_rate")
            cells = " | ".join(_percent(row[key]) for key in keys)
            lines.append(f"| {row['pictures']} | {_percent(row['setting'])} | {cells} |")
    lines += ["", "| pictures | calibration | NLL | ECE | accuracy |", "|---|---|---|---|---|"]
    lines += [
        f"| {row['pictures']} | {row['setting']} | {row['nll']:.3f} | {row['ece']:.3f} | "
        f"{row['accuracy']:.3f} |"
        for row in result["rows"]
        if row["study"] == "calibration"
    ]
    return "\n".join(lines)


def _drift(result: Result) -> str:
    ratios = result["ratios"]
    lines = [
        _about(result),
        "",
        "| | charts | PSI over 0.2 |",
        "|---|---|---|",
        f"| false alarms in {ratios['undrifted parts']:,} undrifted parts "
        f"| {ratios['false alarms']} | {ratios['psi false alarms']} |",
        f"| false alarms in 10,000 parts | {ratios['false alarms in 10,000 parts']:.2f} "
        f"| {ratios['psi false alarms in 10,000 parts']:.2f} |",
    ]
    for kind in ("fade", "step"):
        shares = [_percent(ratios[f"{kind}: {which}caught"]) for which in ("", "psi ")]
        lines.append(f"| {kind}: cameras that noticed | {' | '.join(shares)} |")
        for what in ("median delay", "longest delay"):
            delays = [ratios[f"{kind}: {which}{what}"] for which in ("", "psi ")]
            cells = ["–" if delay is None else f"{delay:.0f}" for delay in delays]
            lines.append(f"| {kind}: {what}, parts | {' | '.join(cells)} |")
    return "\n".join(lines)


def _gate(result: Result) -> str:
    lines = [
        _about(result),
        "",
        "| pictures to compare on | true difference in macro F1 | promoted | refused | undecided |",
        "|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['pictures']} | {row['true_difference']:+.3f} | {_percent(row['passed'])} | "
        f"{_percent(row['failed'])} | {_percent(row['undecided'])} |"
        for row in result["rows"]
    ]
    return "\n".join(lines)


def _about(result: Result) -> str:
    encoders = result["settings"].get("encoders")
    on = f" Features: {encoders}." if encoders else ""
    return f"From `benchmarks/results/{result['name']}.json` ({result['when'][:10]}).{on}"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


STUDIES: dict[str, tuple[Callable[[Result], str], Callable[[Any], None]]] = {
    "study_heldout": (_heldout, plots.heldout),
    "study_riskcoverage": (_risk, plots.risk),
    "study_drift": (_drift, plots.drift),
    "study_gate": (_gate, plots.gate),
}

if __name__ == "__main__":
    main()
