"""Writes what `benchmarks.recipes.run` found, and the table of it that the docs show."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np

from benchmarks.recipes.candidates import CANDIDATES, DEFAULT, SEED
from benchmarks.report import RESULTS, document, of_earlier_encoders, write

RESULT = RESULTS / "recipes.json"
DOCS = Path(__file__).parents[2] / "docs" / "learning.md"
_BEGIN, _END = "<!-- recipes: begin -->", "<!-- recipes: end -->"


@dataclass(frozen=True, slots=True)
class Scores:
    """Macro F1 of one candidate on one set, one value a draw."""

    encoders: str
    pictures: str
    candidate: str
    per_class: int
    macro_f1: tuple[float, ...]


def write_report(
    found: Sequence[Scores], costs: Mapping[str, float], settings: dict[str, Any], encoders: str
) -> None:
    """Write the result file; rows of other encoders that are there already stay."""
    old = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.exists() else {"rows": []}
    kept = [row for row in old["rows"] if row["encoders"] != encoders]
    rows = [*kept, *_rows(found, costs)]
    settings = {**settings, "default": DEFAULT.name}
    write(document("recipes", settings=settings, rows=rows, ratios=ratios(rows)), RESULT)
    click.echo(f"wrote {RESULT}", err=True)


def _rows(found: Sequence[Scores], costs: Mapping[str, float]) -> list[dict[str, Any]]:
    seeds = {s.pictures: np.asarray(s.macro_f1) for s in found if s.candidate == SEED.name}
    changes = {candidate.name: candidate for candidate in CANDIDATES}
    return [
        {
            "encoders": s.encoders,
            "pictures": s.pictures,
            "recipe": s.candidate,
            "changes": changes[s.candidate].changes,
            "parts": list(changes[s.candidate].parts),
            "head": changes[s.candidate].head,
            "per_class": s.per_class,
            "draws": len(s.macro_f1),
            "macro_f1": round(float(np.mean(s.macro_f1)), 4),
            "compute": round(costs[s.candidate], 3),
            **_paired(np.asarray(s.macro_f1), seeds[s.pictures]),
        }
        for s in found
    ]


def _paired(ours: np.ndarray, seeds: np.ndarray) -> dict[str, Any]:
    """The mean difference to the seed's recipe, its 95 % interval over draws, and draws won."""
    from scipy.stats import t

    difference = ours - seeds
    n = len(difference)
    half = float(t.ppf(0.975, n - 1) * difference.std(ddof=1) / n**0.5) if n > 1 else 0.0
    mean = float(difference.mean())
    return {
        "minus_seed": round(mean, 4),
        "low": round(mean - half, 4),
        "high": round(mean + half, 4),
        "draws_won": int((difference > 0).sum()),
    }


def ratios(rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The default's gain on the mean of the sets, with the compact encoders and with the others."""
    found: dict[str, float] = {}
    for encoders in dict.fromkeys(row["encoders"] for row in rows):
        mine = [r for r in rows if r["encoders"] == encoders and r["recipe"] == DEFAULT.name]
        if not mine:
            continue
        gain = round(float(np.mean([row["minus_seed"] for row in mine])), 4)
        if "full size" not in encoders:
            found["default_minus_seed_macro_f1"] = gain
            found["default_compute"] = mine[0]["compute"]
        else:
            found["default_minus_seed_macro_f1_full_size_untrained"] = gain
            found["default_compute_full_size"] = mine[0]["compute"]
    return found


def table(report: Mapping[str, Any]) -> str:
    """The docs' table: a row a recipe, a column a set, differences to the seed's."""
    lines = [of_earlier_encoders(report)]
    for encoders in dict.fromkeys(row["encoders"] for row in report["rows"]):
        rows = [row for row in report["rows"] if row["encoders"] == encoders]
        sets = list(dict.fromkeys(row["pictures"] for row in rows))
        lines += [
            "",
            f"Encoders: {encoders}.",
            "",
            _line(["recipe", "what differs", *sets, "mean", "compute"]),
        ]
        lines.append(_line(["---", "---", *["---:"] * (len(sets) + 2)]))
        for name in dict.fromkeys(row["recipe"] for row in rows):
            lines.append(_row([row for row in rows if row["recipe"] == name], sets))
    return "\n".join(lines).strip()


def _row(mine: Sequence[Mapping[str, Any]], sets: Sequence[str]) -> str:
    by_set = {row["pictures"]: row for row in mine}
    cells = [_cell(by_set.get(name)) for name in sets]
    gains = [row["minus_seed"] for row in mine]
    whole = len(gains) == len(sets)
    mean = "" if not whole or mine[0]["recipe"] == SEED.name else f"{np.mean(gains):+.3f}"
    return _line([mine[0]["recipe"], mine[0]["changes"], *cells, mean, f"{mine[0]['compute']:.2f}"])


def _cell(row: Mapping[str, Any] | None) -> str:
    if row is None:
        return "–"
    if row["recipe"] == SEED.name:
        return f"{row['macro_f1']:.3f}"
    return f"{row['minus_seed']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def updated(page: str, report: Mapping[str, Any]) -> str:
    """The docs' page with the table of `report` between its markers."""
    before, _, rest = page.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}\n{table(report)}\n{_END}{after}"


if __name__ == "__main__":
    DOCS.write_text(updated(DOCS.read_text(), json.loads(RESULT.read_text())))
