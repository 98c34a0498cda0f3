"""`python -m tools.train_compact.gpu`: the compact encoders' third run, for one GPU.

Started again with the same arguments it goes on where it was, however it ended: scenes file by
file, training from its last checkpoint.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import click
import torch

from tools.train_compact.export import export
from tools.train_compact.families import ground
from tools.train_compact.gpu import shards
from tools.train_compact.gpu.learn import learn
from tools.train_compact.gpu.pool import Pool
from tools.train_compact.gpu.pupils import ClipPupil, DinoPupil, Pupil
from vision.checksums import about_of

DESCRIPTION = "compact encoders (small CLIP and DINOv2, trained on drawn pictures)"
_SHIPPED = Path(__file__).resolve().parents[3] / "vision" / "weights_compact"
# Of the minutes; the rest is for starting, and for writing the weights.
_FIRST_DRAWN, _CLIP, _DINO = 0.10, 0.56, 0.26
_LOOK_S = 0.2


@dataclass(frozen=True, slots=True)
class Size:
    """How large a run is.

    Attributes:
        pictures: scenes at most; a device needs 0.3 MB for each.
        first: scenes that training waits for.
        batch: pictures a step.
        minutes: of the whole run.
        shard: scenes a file.
        every_s: seconds between two checkpoints.
    """

    pictures: int
    first: int
    batch: int
    minutes: float
    shard: int
    every_s: float


GPU = Size(pictures=80_000, first=8_000, batch=1_024, minutes=10, shard=250, every_s=20)
SMOKE = Size(pictures=48, first=24, batch=16, minutes=0.12, shard=12, every_s=0.5)


@click.command()
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("gpu-train"), show_default=True
)
@click.option("--smoke", is_flag=True, help="A run of seconds on a processor: does it work?")
@click.option("--minutes", type=float, default=None, help="Of the whole run; 10.")
@click.option("--pictures", type=int, default=None, help="Scenes at most, 0.3 MB each; 80,000.")
@click.option("--batch", type=int, default=None, help="Pictures a step; 1,024.")
@click.option("--device", default=None, help="cuda, or cpu in a smoke run.")
@click.option("--seed", default=7, show_default=True)
@click.option("--processes", type=int, default=None, help="That draw; all cores but one.")
@click.option(
    "--start",
    type=click.Path(exists=True, path_type=Path),
    default=_SHIPPED,
    help="A folder of weights to begin with; those that ship.",
)
@click.option("--afresh", is_flag=True, help="Begin with random weights.")
def main(
    out: Path,
    smoke: bool,
    minutes: float | None,
    pictures: int | None,
    batch: int | None,
    device: str | None,
    seed: int,
    processes: int | None,
    start: Path,
    afresh: bool,
) -> None:
    """Train the compact encoders on one GPU and write them to OUT/weights."""
    preset = SMOKE if smoke else GPU
    size = Size(
        pictures or preset.pictures,
        min(preset.first, pictures or preset.pictures),
        batch or preset.batch,
        minutes or preset.minutes,
        preset.shard,
        preset.every_s,
    )
    device = device or ("cpu" if smoke else "cuda")
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise click.ClickException("there is no GPU here; --smoke tries the run on a processor")
    torch.set_float32_matmul_precision("high")
    torch.backends.cudnn.benchmark = True
    begun = None if afresh else start
    _same_run(out, {**asdict(size), "seed": seed, "start": str(begun)})
    workers = processes or max(1, (os.cpu_count() or 2) - 1)
    _train(out, size, seed, device, workers, begun)
    training = _described(out, size, seed, device, begun)
    export(
        out / "clip.pt",
        out / "dinov2.pt",
        out / "weights",
        description=DESCRIPTION,
        training=training,
    )
    click.echo(f"wrote {out / 'weights'}")


def _same_run(out: Path, said: dict[str, Any]) -> None:
    """Refuse to go on with a run that was begun with other arguments."""
    path = out / "run.json"
    if path.exists():
        before = json.loads(path.read_text(encoding="utf-8"))
        changed = [name for name in said if said[name] != before.get(name)]
        if changed:
            raise click.ClickException(
                f"the run in {out} was begun with another value of {', '.join(changed)}; "
                "give the same, or another --out"
            )
        return
    out.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(said, indent=1) + "\n", encoding="utf-8")


def _train(
    out: Path, size: Size, seed: int, device: str, processes: int, start: Path | None
) -> None:
    folder = out / "scenes"
    plan = shards.Plan(seed, size.pictures, size.shard)
    with shards.drawing(folder, plan, processes) as workers:
        _wait(folder, size, workers)
        pool = Pool(folder, size.pictures, device)
        torch.manual_seed(seed)
        pupils: list[tuple[type[ClipPupil] | type[DinoPupil], float]] = [
            (ClipPupil, _CLIP),
            (DinoPupil, _DINO),
        ]
        for make, share in pupils:
            pupil: Pupil = make(device, start)
            click.echo(f"{pupil.name}: {share * size.minutes:.2g} minutes on {device}")
            learn(
                pupil,
                pool,
                out / f"{pupil.name}.pt",
                minutes=share * size.minutes,
                seed=seed,
                batch=size.batch,
                device=device,
                every_s=size.every_s,
            )


def _wait(folder: Path, size: Size, workers: list[Any]) -> None:
    """Until the first scenes are drawn, or as many as there was time for."""
    until = time.monotonic() + 60 * size.minutes * _FIRST_DRAWN
    while True:
        if any(worker.exitcode for worker in workers):
            raise click.ClickException(f"drawing into {folder} failed; see above")
        drawn = size.shard * len(shards.whole(folder))
        if drawn >= size.first or (drawn and time.monotonic() > until):
            return
        time.sleep(_LOOK_S)


def _described(
    out: Path, size: Size, seed: int, device: str, start: Path | None
) -> dict[str, object]:
    """What about.json and the cards say of the run."""
    training: dict[str, object] = {
        "run": "gpu",
        "pictures": min(size.pictures, size.shard * len(shards.whole(out / "scenes"))),
        "kinds": ground.KINDS,
        "seed": seed,
        "batch": size.batch,
        "machine": f"one {torch.cuda.get_device_name(device)}"
        if device.startswith("cuda")
        else "a CPU",
    }
    if start is not None:
        training["before"] = about_of(start)["training"]
    return training
