"""Figures of two models as rows and lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from linewatch.commands._gate_words import gate_lines
from linewatch.csv_cell import Cell
from model_store.gate.figures import Figures
from model_store.gate.gate import Rules, decide

_MEASURES = ("accuracy", "macro_f1", "escapes", "overkill", "review_rate")


def measure_rows(sets: Mapping[str, Figures]) -> Iterator[dict[str, Cell]]:
    """A row for each measure of each set."""
    for name, found in sets.items():
        for measure in _MEASURES:
            before, after = found.champion[measure], found.challenger[measure]
            yield _row(name, measure.replace("_", " "), found.pictures, before, after)


def class_rows(sets: Mapping[str, Figures]) -> Iterator[dict[str, Cell]]:
    """A row for each class's recall in each set."""
    for name, found in sets.items():
        for row in found.classes:
            shares = row.champion_recall, row.challenger_recall
            yield _row(name, f"recall of {row.class_code}", row.support, *shares)


def paired_lines(sets: Mapping[str, Figures], rules: Rules, notes: Sequence[str]) -> Iterator[str]:
    """The paired tests, and what the gate would say."""
    for name, found in sets.items():
        low, high = found.macro_f1_interval
        yield (
            f"{name}: right only by the first {found.only_champion}, only by the second "
            f"{found.only_challenger}, exact McNemar p = {found.mcnemar_p:.3g}; macro F1 "
            f"{found.macro_f1_difference:+.3f} (95 % {low:+.3f} to {high:+.3f})"
        )
    decision = decide(sets, rules, notes=notes)
    yield from gate_lines(decision, "the gate would say")


def _row(name: str, measure: str, pictures: int, before: float, after: float) -> dict[str, Cell]:
    return {
        "set": name,
        "measure": measure,
        "pictures": pictures,
        "first": before,
        "second": after,
        "difference": after - before,
    }
