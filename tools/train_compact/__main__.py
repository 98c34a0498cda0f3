"""`python -m tools.train_compact`: draws pictures, trains both encoders, writes their weights.

Everything is seeded, and what is interrupted goes on where it was: pictures shard by shard,
training from its last checkpoint, at most a minute old.
"""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from pathlib import Path

import click
import cv2
import torch

from tools.train_compact.cache import Cache, render_shards
from tools.train_compact.export import export
from tools.train_compact.train_clip import train_clip
from tools.train_compact.train_dino import train_dino
from vision.checksums import about_of

_STAGES = ("draw", "clip", "dinov2", "export")
_DESCRIPTION = "compact encoders (small CLIP and DINOv2, trained on drawn pictures)"


@dataclass(frozen=True, slots=True)
class Plan:
    """How large a run is."""

    pictures: int
    clip_minutes: float
    dino_minutes: float
    batch: int


SMOKE = Plan(pictures=60, clip_minutes=0.1, dino_minutes=0.1, batch=8)
CPU = Plan(pictures=8_000, clip_minutes=120, dino_minutes=120, batch=32)
GPU = Plan(pictures=60_000, clip_minutes=240, dino_minutes=240, batch=256)


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Pictures, checkpoints."
)
@click.option("--smoke", is_flag=True, help="A run of less than a minute, to see that it works.")
@click.option("--stage", type=click.Choice(_STAGES), multiple=True, help="Only these; else all.")
@click.option("--device", default="cuda" if torch.cuda.is_available() else "cpu", show_default=True)
@click.option("--pictures", type=int, default=None)
@click.option("--clip-minutes", type=float, default=None)
@click.option("--dino-minutes", type=float, default=None)
@click.option("--batch", type=int, default=None)
@click.option(
    "--start",
    type=click.Path(exists=True, path_type=Path),
    help="A folder of weights to begin with, such as vision/weights_compact; else random ones.",
)
@click.option("--seed", default=2, show_default=True)
@click.option("--processes", default=os.cpu_count() or 1, show_default=True, help="That draw.")
@click.option("--threads", type=int, default=None, help="That train, on a CPU.")
def main(
    out: Path,
    smoke: bool,
    stage: tuple[str, ...],
    device: str,
    pictures: int | None,
    clip_minutes: float | None,
    dino_minutes: float | None,
    batch: int | None,
    start: Path | None,
    seed: int,
    processes: int,
    threads: int | None,
) -> None:
    """Train the compact encoders and write them to OUT/weights."""
    preset = SMOKE if smoke else GPU if device.startswith("cuda") else CPU
    plan = Plan(
        pictures=pictures or preset.pictures,
        clip_minutes=clip_minutes or preset.clip_minutes,
        dino_minutes=dino_minutes or preset.dino_minutes,
        batch=batch or preset.batch,
    )
    stages = stage or _STAGES
    cv2.setNumThreads(1)
    if threads:
        torch.set_num_threads(threads)
    if "draw" in stages:
        _draw(out / "pictures", plan.pictures, seed, processes)
    if {"clip", "dinov2"} & set(stages):
        _train(out, plan, seed, device, stages, start)
    if "export" in stages:
        training: dict[str, object] = {
            "pictures": len(Cache(out / "pictures")),
            "seed": seed,
            "batch": plan.batch,
            "machine": _machine(device, threads),
        }
        if start is not None:
            training["before"] = about_of(start)["training"]
        export(
            out / "clip.pt",
            out / "dinov2.pt",
            out / "weights",
            description=_DESCRIPTION,
            training=training,
        )
        click.echo(f"wrote {out / 'weights'}")


def _machine(device: str, threads: int | None) -> str:
    if device.startswith("cuda"):
        return f"one {torch.cuda.get_device_name(device)}"
    cores = threads or torch.get_num_threads()
    return f"{cores} core{'s' if cores > 1 else ''} of a CPU"


def _draw(folder: Path, pictures: int, seed: int, processes: int) -> None:
    context = multiprocessing.get_context("spawn")
    workers = [
        context.Process(
            target=render_shards,
            args=(folder,),
            kwargs={"seed": seed, "count": pictures, "part": part, "parts": processes},
        )
        for part in range(processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    if any(worker.exitcode for worker in workers):
        raise click.ClickException(f"drawing pictures into {folder} failed; see above")


def _train(
    out: Path, plan: Plan, seed: int, device: str, stages: tuple[str, ...], start: Path | None
) -> None:
    cache = Cache(out / "pictures")
    if not len(cache):
        raise click.ClickException(f"{out / 'pictures'} holds no pictures; draw them first")
    for name, train, minutes in (
        ("clip", train_clip, plan.clip_minutes),
        ("dinov2", train_dino, plan.dino_minutes),
    ):
        if name in stages:
            click.echo(f"{name}: {minutes:g} minutes on {device}, {len(cache)} pictures")
            train(
                cache,
                out / f"{name}.pt",
                minutes=minutes,
                seed=seed,
                batch=plan.batch,
                device=device,
                start=start,
            )


if __name__ == "__main__":
    main()
