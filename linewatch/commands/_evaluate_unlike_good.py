"""`linewatch evaluate unlike-good`."""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING, Any

import click

from linewatch.commands._new_file import NewFile
from linewatch.commands._numbers import Number
from linewatch.errors import EvaluationError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from linewatch.evaluation.unlike_good import Looked

_STAGES = "-4,-3,-2"
_TRAINED = 0.6  # of the good parts, in each draw
_LEAST_FRESH = 5


class Stages(click.ParamType[tuple[int, ...]]):
    """Numbers of CLIP's stages, counted from the last, with commas between."""

    name = "stages"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """`-4,-3` as (-4, -3)."""
        try:
            return tuple(int(word) for word in str(value).split(","))
        except ValueError:
            self.fail(f"{value!r} is not like {_STAGES}", param, ctx)


@click.command("unlike-good")
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--good", default="good", show_default=True, help="The class folder of good parts.")
@click.option(
    "--stages",
    type=Stages(),
    multiple=True,
    default=[_STAGES],
    show_default=True,
    help="Of CLIP, whose places are remembered, counted from the last; repeat it to compare.",
)
@click.option(
    "--draws", type=click.IntRange(1, 100), default=4, show_default=True, help="Draws of pictures."
)
@click.option(
    "--rate",
    type=Number(0, 0.5, min_open=True),
    default=0.05,
    show_default=True,
    help="Share of the good parts that may be called unlike good.",
)
@click.option(
    "--maps",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write each defect's picture here, red where it is unlike good.",
)
@click.option(
    "--json",
    "json_file",
    type=NewFile(),
    help="Write everything found to this file.",
)
def unlike_good(
    folder: Path,
    good: str,
    stages: tuple[tuple[int, ...], ...],
    draws: int,
    rate: float,
    maps: Path | None,
    json_file: Path | None,
) -> None:
    """See how good parts alone would catch the defects in a folder of classes, and where.

    Each draw learns from 60 % of the good parts and is shown the others and every defect. The
    encoders run in torch on this processor; pictures are squashed to their square.
    """
    import numpy as np

    from linewatch.commands._output import write_table
    from linewatch.commands.evaluate import write_json
    from linewatch.evaluation.patch_pictures import look, read
    from linewatch.evaluation.pictures import class_folders
    from linewatch.settings import get_settings
    from vision.networks import load_net
    from vision.recipes import recipe_named
    from vision.weights import describe, find_weights

    settings = get_settings()
    files = class_folders(folder)
    pixels, kept, unread = read([file.path for file in files], settings.max_image_pixels)
    labels = np.asarray([files[index].label for index in kept])
    count = _learned(labels, good, folder)
    net = load_net(find_weights(settings), recipe_named(settings.recipe))[0]
    rows = []
    for number, chosen in enumerate(stages):
        try:
            with click.progressbar(length=len(pixels), label="Pictures", file=sys.stderr) as bar:
                looked = look(net, pixels, chosen, bar.update)
        except ValueError as error:
            raise EvaluationError(str(error)) from None
        name = ",".join(map(str, chosen))
        rows += _measured(looked, labels, good, count, draws, rate, name, distance=not number)
        if maps is not None and not number:
            _write_maps(maps, [files[i].path for i in kept], pixels, looked, labels == good, rate)
    title = f"{folder.name}: {count} good parts learned from, {draws} draws, {rate:.0%} asked"
    write_table(rows, title)
    click.echo(f"{len(labels)} pictures · encoders: {describe(settings)}")
    for words in unread[:5]:
        click.echo(f"note: left out {words}", err=True)
    if json_file is not None:
        about = {"folder": str(folder), "good": good, "learned_from": count, "draws": draws}
        write_json(json_file, {"name": "unlike good", **about, "rate": rate, "rows": rows})


def _learned(labels: NDArray[np.str_], good: str, folder: Path) -> int:
    """How many good parts a draw learns from."""
    from model_store.novelty.patch_memory import LEAST_PARTS

    there = int((labels == good).sum())
    count = max(LEAST_PARTS, int(there * _TRAINED))
    if there < count + _LEAST_FRESH:
        raise EvaluationError(
            f"{folder} has {there} readable pictures of class {good!r}; "
            f"{LEAST_PARTS + _LEAST_FRESH} are the fewest (--good names the class)"
        )
    if there == len(labels):
        raise EvaluationError(f"{folder} has no readable picture of a defect")
    return count


def _measured(
    looked: Looked,
    labels: NDArray[np.str_],
    good: str,
    count: int,
    draws: int,
    rate: float,
    stages: str,
    *,
    distance: bool,
) -> list[dict[str, Any]]:
    """Means over the draws; the distance of whole pictures knows no stages and is told once."""
    from linewatch.evaluation import unlike_good as rules

    assert looked.features is not None
    found: dict[tuple[str, str], list[dict[str, float]]] = {}
    for seed in range(draws):
        draw = rules.drawn(labels, good, count, seed)
        near = rules.memory(looked.tokens, draw, rate, seed)[0]
        far = rules.distance(looked.features, draw, rate)
        told = {
            ("one-class distance", ""): rules.alone(far, draw, rate),
            ("memory of patches", stages): rules.alone(near, draw, rate),
            ("both", stages): rules.together((far, near), draw, rate),
        }
        for key, figures in told.items():
            if key[1] or distance:
                found.setdefault(key, []).append(figures)
    return [
        {
            "rule": rule,
            "stages": of,
            **{
                key.replace(" ", "_"): round(fmean(one[key] for one in each), 4)
                for key in ("auroc", "caught", "good flagged")
            },
        }
        for (rule, of), each in found.items()
    ]


def _write_maps(
    folder: Path,
    paths: list[Path],
    pixels: NDArray[np.uint8],
    looked: Looked,
    good: NDArray[np.bool_],
    rate: float,
) -> None:
    """The defects' pictures, by a memory of all good parts."""
    import numpy as np

    from linewatch.evaluation.patch_pictures import shown
    from model_store.novelty.patch_memory import fit_memory

    found = fit_memory(looked.tokens[good], rate)
    bad = np.flatnonzero(~good)
    try:
        for index, places in zip(bad, found.memory.maps(looked.tokens[bad]), strict=True):
            path = folder / paths[index].parent.name / f"{paths[index].stem}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            shown(pixels[index], places, found.border).save(path)
    except OSError as error:
        raise EvaluationError(f"{folder} cannot be written: {error.strerror}") from None
    click.echo(f"{len(bad)} maps in {folder}", err=True)
