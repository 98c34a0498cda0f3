"""Any defect, from good parts alone: who is caught, how many good parts are flagged, and where.

`python -m benchmarks.studies.unlike_good --cache DIR [--photographs DIR] [--cells DIR]`. Each draw
fits on some of the good parts and is shown the others and every defect; no defect was seen before,
so that the caught share of a class is that of a class left out. The sets are for choosing: over
sixty variants were compared on small sets, and the best are optimistic by perhaps 0.01 to 0.02.
Cable is what the encoders were drawn for.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from statistics import fmean

import click
import torch

from benchmarks.compact.encoders import shipped, untrained
from benchmarks.studies import report
from benchmarks.studies.unlike_good_cost import cost_rows
from benchmarks.studies.unlike_good_looks import by_filters, by_networks
from benchmarks.studies.unlike_good_sets import GOOD, Shown, shown_sets
from linewatch.evaluation.unlike_good import (
    Looked,
    alone,
    distance,
    drawn,
    memory,
    of_all_classes,
    peak_on_flaw,
    together,
)
from vision.weights import COMPACT

RATE = 0.05  # of good parts, that may lie beyond; of two rules each has half of it
DRAWS = {"mvtec-bottle": 12, "cable": 4, "solar cells": 4}  # 20 fresh bottles are few: more draws
TRAINED_ON = {"mvtec-bottle": (20,), "cable": (20, 100), "solar cells": (40, 160)}  # good parts
Row = dict[str, object]


@click.command()
@click.option("--photographs", type=click.Path(exists=True, path_type=Path), default=None)
@click.option("--cells", type=click.Path(exists=True, path_type=Path), default=None)
@click.option("--weights", type=click.Path(exists=True, path_type=Path), default=COMPACT)
@click.option("--cache", type=click.Path(path_type=Path), required=True)
def main(cache: Path, photographs: Path | None, cells: Path | None, weights: Path) -> None:
    """Write benchmarks/results/study_unlike_good.json."""
    cache.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    looks = {
        "trained": by_networks(shipped(weights)),
        "untrained": by_networks(untrained(weights)),
        "differences of Gaussians": by_filters,
    }
    rows: list[Row] = []
    for data in shown_sets(cache, photographs, cells):
        for look, see in looks.items():
            looked = see(data.pixels)
            counts = TRAINED_ON[data.name]
            for count in counts if look == "trained" else counts[-1:]:
                click.echo(f"{data.name}, {look}, {count} good parts", err=True)
                rows += _measured(data, look, looked, count)
    report.write(
        "study_unlike_good",
        settings={"draws": DRAWS, "rate": RATE, "trained_on_good": TRAINED_ON},
        rows=[*rows, *cost_rows(shipped(weights))],
        ratios={},
    )


def _measured(data: Shown, look: str, looked: Looked, count: int) -> list[Row]:
    """A row for each rule: means over the draws."""
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    for seed in range(DRAWS[data.name]):
        draw = drawn(data.labels, GOOD, count, seed)
        near, maps, _ = memory(looked.tokens, draw, RATE, seed)
        told = alone(near, draw, RATE)
        if data.flaws is not None:
            told["peak on the flaw"] = peak_on_flaw(maps, data.flaws[draw.bad])
        found["memory of patches"].append(told)
        if looked.features is None:
            continue
        far = distance(looked.features, draw, RATE)
        found["one-class distance"].append(alone(far, draw, RATE))
        found["both"].append(together((far, near), draw, RATE))
        if look == "trained":
            found["all classes, as in 0.1.0"].append(
                of_all_classes(looked.features, data.labels, draw)
            )
    return [
        {"pictures": data.name, "look": look, "good_parts": count, "rule": rule, **_mean(draws)}
        for rule, draws in found.items()
    ]


def _mean(draws: list[dict[str, float]]) -> dict[str, object]:
    flagged = [draw["good flagged"] for draw in draws]
    return {
        **{key: round(fmean(draw[key] for draw in draws), 4) for key in draws[0]},
        "good flagged, least": round(min(flagged), 4),
        "good flagged, most": round(max(flagged), 4),
    }


if __name__ == "__main__":
    main()
