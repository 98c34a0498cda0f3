"""Model cards: of each network, what it is, what it was trained on, what it reaches, its limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tools.train_compact.card_texts import DATA, DATA_GPU, LIMITS, NETWORKS, TEXT
from tools.train_compact.families import CLASSES, DEFECTS
from tools.train_compact.networks import CLIP, DINO
from vision.weights import ABOUT_FILE

CARD = "README.md"
_GOAL = 0.90
_UNMEASURED = "Not measured yet: `python -m benchmarks.compact.run` measures it."


def write_cards(folder: Path, about: Mapping[str, Any], results: Path | None = None) -> None:
    """Write clip/README.md and dinov2/README.md beside the weights.

    Args:
        folder: the weights, as `vision.weights` lays them out.
        about: what about.json says.
        results: what `benchmarks.compact.run` wrote about these weights; None: no figures.
    """
    for name in NETWORKS:
        text = _card(name, about, json.loads(results.read_text()) if results else None)
        (folder / name / CARD).write_text(text, encoding="utf-8")


def _card(name: str, about: Mapping[str, Any], results: Mapping[str, Any] | None) -> str:
    title, library, what = NETWORKS[name]
    trained = about["training"][name]
    sizes = {**CLIP["vision_cfg"], "embed_dim": CLIP["embed_dim"], **DINO}
    return TEXT.format(
        title=title,
        library=library,
        what=what.format(**sizes),
        data=_data(about["training"]),
        machine=about["training"]["machine"],
        steps=f"{trained['steps']:,}",
        minutes=trained["minutes"],
        before=_before(name, about["training"]),
        reached=_reached(results) if results else _UNMEASURED,
        limits=LIMITS,
        files="\n".join(
            f"- `{path.split('/')[1]}` SHA-256 `{digest}`"
            for path, digest in sorted(about["sha256"].items())
            if path.startswith(f"{name}/")
        ),
    )


def _data(training: Mapping[str, Any]) -> str:
    """What was drawn, and what it was designed after."""
    text = DATA_GPU if training.get("run") == "gpu" else DATA
    return text.format(
        pictures=f"{training['pictures']:,}",
        seed=training["seed"],
        kinds=training.get("kinds"),
        families=", ".join(family for family in DEFECTS if family != "cable"),
        classes=len(CLASSES),
    )


def _before(name: str, training: Mapping[str, Any]) -> str:
    """Of the run whose weights this one began with."""
    earlier = training.get("before")
    if earlier is None:
        return ""
    return (
        f", begun with the weights of an earlier run ({earlier[name]['steps']:,} steps on "
        f"{earlier['pictures']:,} pictures)"
    )


def _reached(results: Mapping[str, Any]) -> str:
    """The pair's figures: linear probes beside their rivals, then zero-shot."""
    probes = [row for row in results["rows"] if row["task"] == "linear probe"]
    encoders = list(dict.fromkeys(row["encoder"] for row in probes))
    lines = [
        "Both networks together, as Linewatch uses them (`benchmarks/results/compact.json`). Macro",
        "F1 of a linear probe on 10 pictures a class, 3-fold cross-validation, mean of 20 draws:",
        "",
        "| pictures | " + " | ".join(encoders) + " |",
        "|---" * (1 + len(encoders)) + "|",
    ]
    for pool in dict.fromkeys(row["pictures"] for row in probes):
        figures = {
            row["encoder"]: f"{row['macro_f1']:.2f}"
            for row in probes
            if row["pictures"] == pool and row["per_class"] == 10
        }
        lines.append(
            f"| {pool} | " + " | ".join(figures.get(name, "–") for name in encoders) + " |"
        )
    zero_shot = next(row for row in results["rows"] if row["task"] == "zero-shot")
    chance = 1 / len(zero_shot["recall"])
    lines.append(
        f"\nZero-shot on the simulated cable line (the renderer and nearly the words it was\n"
        f"trained with): {zero_shot['accuracy']:.0%} right; chance would be {chance:.0%}."
    )
    lines += _short_of(probes)
    return "\n".join(lines)


def _short_of(probes: list[Mapping[str, Any]]) -> list[str]:
    """A line for each goal that is not met at 10 pictures a class."""
    scores = {
        (row["pictures"], row["encoder"]): row["macro_f1"]
        for row in probes
        if row["per_class"] == 10
    }
    lines = []
    if scores["cable", "compact"] < _GOAL:
        lines.append(f"\nNot reached: macro F1 of {_GOAL:.2f} on the simulated cable line.")
    for (pool, encoder), score in scores.items():
        if score > scores[pool, "compact"]:
            lines.append(f"\nNot reached: to be better than {encoder} on {pool}.")
    return lines


@click.command()
@click.argument("folder", type=click.Path(exists=True, path_type=Path))
@click.argument("results", type=click.Path(exists=True, path_type=Path))
def main(folder: Path, results: Path) -> None:
    """Write what RESULTS (benchmarks/results/compact.json) says into the cards in FOLDER."""
    about = json.loads((folder / ABOUT_FILE).read_text(encoding="utf-8"))
    measured = json.loads(results.read_text(encoding="utf-8"))["settings"]["sha256"]
    if measured != about["sha256"]:
        raise click.ClickException(f"{results} is about other weights than those in {folder}")
    write_cards(folder, about, results)


if __name__ == "__main__":
    main()
