"""The seed protocol's result for people and for programs, beside what the seed published."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model_store.seed.protocol import SeedResult, is_seed_set, published

Row = dict[str, Any]
_AVERAGES = (("macro avg", "macro_f1"), ("weighted avg", "weighted_f1"))


def side_by_side(result: SeedResult) -> list[Row]:
    """A row a class and for the averages: ours, then the published figures."""
    printed = {row["class"]: row for row in published()["classes"]}
    rows = [
        _row(name, result.report[name], printed.get(name, {}), printed.get(name, {}).get("f1"))
        for name in result.classes
    ]
    n = len(result.labels)
    rows.append(_row("accuracy", {"f1-score": result.accuracy, "support": n}, {}, None))
    rows[-1]["published_F1"] = published()["accuracy"]
    for name, key in _AVERAGES:
        rows.append(_row(name, result.report[name], {}, published()[key]))
    return rows


def confusion_rows(result: SeedResult) -> list[Row]:
    """The confusion matrix: a row for what pictures show, a column for what was said."""
    return [
        {
            "actual": name,
            **{said: int(count) for said, count in zip(result.classes, row, strict=True)},
        }
        for name, row in zip(result.classes, result.confusion, strict=True)
    ]


def seed_json(
    result: SeedResult, files: Sequence[str], *, widths: dict[str, int], source: str, encoders: str
) -> dict[str, Any]:
    """Everything that was found, as `--json` writes it."""
    return {
        "name": "seed",
        "source": source,
        "encoders": encoders,
        "widths": widths,
        "pictures": len(files),
        "is_the_seeds_set": is_seed_set(files, result.labels),
        "accuracy": result.accuracy,
        "macro_f1": result.macro_f1,
        "weighted_f1": result.weighted_f1,
        "classes": [
            {
                "class": name,
                "precision": float(result.report[name]["precision"]),
                "recall": float(result.report[name]["recall"]),
                "f1": float(result.report[name]["f1-score"]),
                "support": int(result.report[name]["support"]),
            }
            for name in result.classes
        ],
        "labels": list(result.classes),
        "confusion_matrix": result.confusion.tolist(),
        "predictions": [
            {"file": file, "label": label, "predicted": said, "correct": label == said}
            for file, label, said in zip(files, result.labels, result.predictions, strict=True)
        ],
        "notes": list(result.notes),
        "published": published(),
    }


def _row(name: str, ours: dict[str, Any], theirs: dict[str, Any], their_f1: float | None) -> Row:
    return {
        "class": name,
        "precision": _number(ours.get("precision")),
        "recall": _number(ours.get("recall")),
        "F1": _number(ours["f1-score"]),
        "support": int(ours["support"]),
        "published_precision": theirs.get("precision"),
        "published_recall": theirs.get("recall"),
        "published_F1": their_f1,
    }


def _number(value: Any) -> float | None:
    return None if value is None else float(value)
