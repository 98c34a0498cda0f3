"""Model cards: of each network, what it is, what it was trained on, what it reaches, its limits."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from tools.train_compact.families import CLASSES, DEFECTS
from tools.train_compact.networks import CLIP, DINO
from vision.weights import ABOUT_FILE

CARD = "README.md"
_NETWORKS: Mapping[str, tuple[str, str, str]] = {
    "clip": (
        "Compact CLIP",
        "open_clip",
        "A CLIP whose image tower is a ResNet that begins with {width} channels (OpenAI's\n"
        "ViT-B/32 is a vision transformer: same training, same loader, another architecture),\n"
        "and a text tower of 2 layers; embeddings of {embed_dim} numbers. Trained contrastively\n"
        "with sentences; heads that name the class, its defects, and where they are, helped\n"
        "and were dropped.",
    ),
    "dinov2": (
        "Compact DINOv2",
        "transformers",
        "A DINOv2 of {num_hidden_layers} layers, {hidden_size} numbers wide, with patches of\n"
        "{patch_size} pixels. Trained by self-distillation (student and teacher, pictures and\n"
        "crops); heads that name the class, its defects, and where they are, helped and were\n"
        "dropped.",
    ),
}
_TEXT = """---
license: apache-2.0
library_name: {library}
---
# {title}
{what}

## Data
{pictures} pictures drawn by `tools/train_compact` (seed {seed}): cables of the simulator in many
colours and layouts, and four other families ({families}); {classes}
classes in all. No photograph and no other party's picture was used, so the weights carry the
project's own licence.

What the figures below are of:
- **cable, other cables**: the renderer that drew what it was trained on. They say that it learnt
  what it was shown, not how it does on real cables. So does zero-shot, whose sentences come from a
  grammar that covers nearly the wording of `products/cable.yaml`.
- **mvtec-bottle**: the drawn necks of glass (a part of the family ring) were designed with the
  photographs of this test in view.
- **x-sdd**: the drawn textures include a class for each of its seven kinds of surface.

None of these photographs was trained on, but none of the four sets is one that the drawings were
made without knowing. The differences to other encoders, and how sure they are, hold for these sets
and say little of another product: judge on pictures of your own.

## Training
{steps} steps in {minutes} minutes on {machine}{before}; `docs/encoders.md` says how to train such
a pair.

## What it reaches
{reached}

## Limits
{limits}

## Files
{files}
"""
_LIMITS = """\
It was trained on drawn pictures alone. It is made for trying Linewatch out, for tests, and for
machines that can reach nothing; judge real parts with the full encoders. Products, surfaces, lamps
and lenses that were never drawn are beyond what it has seen. Pictures are seen at 224x224 pixels:
what cannot be seen there cannot be judged."""
_GOAL = 0.90
_UNMEASURED = "Not measured yet: `python -m benchmarks.compact.run` measures it."


def write_cards(folder: Path, about: Mapping[str, Any], results: Path | None = None) -> None:
    """Write clip/README.md and dinov2/README.md beside the weights.

    Args:
        folder: the weights, as `vision.weights` lays them out.
        about: what about.json says.
        results: what `benchmarks.compact.run` wrote about these weights; None: no figures.
    """
    for name in _NETWORKS:
        text = _card(name, about, json.loads(results.read_text()) if results else None)
        (folder / name / CARD).write_text(text, encoding="utf-8")


def _card(name: str, about: Mapping[str, Any], results: Mapping[str, Any] | None) -> str:
    title, library, what = _NETWORKS[name]
    trained = about["training"][name]
    sizes = {**CLIP["vision_cfg"], "embed_dim": CLIP["embed_dim"], **DINO}
    return _TEXT.format(
        title=title,
        library=library,
        what=what.format(**sizes),
        pictures=f"{about['training']['pictures']:,}",
        seed=about["training"]["seed"],
        machine=about["training"]["machine"],
        families=", ".join(family for family in DEFECTS if family != "cable"),
        classes=len(CLASSES),
        steps=f"{trained['steps']:,}",
        minutes=trained["minutes"],
        before=_before(name, about["training"]),
        reached=_reached(results) if results else _UNMEASURED,
        limits=_LIMITS,
        files="\n".join(
            f"- `{path.split('/')[1]}` SHA-256 `{digest}`"
            for path, digest in sorted(about["sha256"].items())
            if path.startswith(f"{name}/")
        ),
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
