"""What patch tokens cost under OpenVINO, and how the memory's scores move when it makes them.

`python -m benchmarks.studies.openvino_tokens`. Cost is CPU time of one thread, with tokens ÷
without, the same network compiled both ways and asked in turn; and what a worker does with the
tokens besides, their distances to as many as a memory holds. The memory and its border are
fitted on torch's tokens of simulated good cables, as a training on another machine would; others
are scored by each precision's tokens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.metrics import roc_auc_score

from benchmarks.compact.encoders import shipped, untrained_full_size
from benchmarks.studies import report
from linewatch.products import shipped_product
from model_store.novelty.patch_memory import TOKENS, FittedMemory, PatchMemory, fit_memory, scores
from model_store.serving.apply import PatchMeter
from producer.simulator import render
from vision.encoders import EncoderPair
from vision.feature_net import FeatureNet
from vision.openvino_model import convert, quantise
from vision.recipes import recipe_named
from vision.weights import COMPACT

HINTS = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
RATE, SIDE, BATCH = 0.02, 224, 8
CALIBRATION = 16  # pictures
Row = dict[str, Any]
Compiled = Callable[[NDArray[np.uint8]], Any]


@click.command()
@click.option("--good", default=60, show_default=True, help="Pictures remembered; as many scored.")
@click.option("--defects", default=10, show_default=True, help="Pictures of each class.")
@click.option("--rounds", default=9, show_default=True)
@click.option("--full-size/--no-full-size", default=True, show_default=True)
def main(good: int, defects: int, rounds: int, full_size: bool) -> None:
    """Measure and write benchmarks/results/study_openvino_tokens.json."""
    torch.set_num_threads(1)
    pairs = {"compact": shipped(COMPACT)}
    if full_size:
        pairs["full size, untrained weights"] = untrained_full_size()
    calibration, unseen = both_kinds(CALIBRATION, 10_000), both_kinds(BATCH, 20_000)
    rows: list[Row] = []
    for name, pair in pairs.items():
        both = dict(networks(pair, torch.from_numpy(calibration)))
        reference = compiled(both["float32"], "float32")(unseen)
        for precision, model in both.items():
            rows.append(cost(name, precision, model, unseen, reference, rounds))
            click.echo(f"{rows[-1]}", err=True)
        if name == "compact":
            rows += moved(pair, both, good, defects)
        _write(rows, rounds)


def _write(rows: list[Row], rounds: int) -> None:
    settings = {"rate": RATE, "batch": BATCH, "rounds": rounds, "recipe": "patches"}
    timed = [row for row in rows if "ratio" in row]
    ratios = {f"{row['encoders']}, {row['precision']}": row["ratio"] for row in timed}
    report.write("study_openvino_tokens", settings=settings, rows=rows, ratios=ratios)


def networks(pair: EncoderPair, calibration: torch.Tensor) -> Iterator[tuple[str, Any]]:
    """By precision the converted network, float32's for bfloat16 too."""
    net = FeatureNet(pair, recipe_named("patches"))
    model = convert(net)
    yield "float32", model
    yield "bfloat16", model
    yield "int8", quantise(convert(net), calibration)


def cost(
    name: str,
    precision: str,
    model: Any,
    pictures: NDArray[np.uint8],
    reference: Any,
    rounds: int,
) -> Row:
    """CPU time of one thread a picture: features, tokens with them, and distances of those.

    And how far features and tokens lie from `reference`, OpenVINO's float32 ones.
    """
    bare = model.clone()
    bare.remove_result(bare.get_results()[1])
    without, whole = compiled(bare, precision), compiled(model, precision)
    found = whole(pictures)
    tokens = torch.from_numpy(np.array(found[1]))
    meter = PatchMeter(PatchMemory(unit_rows(TOKENS, tokens.shape[-1])))
    runs = [partial(without, pictures), partial(whole, pictures), partial(meter, tokens)]
    took: list[list[float]] = [[], [], []]
    for turn in range(rounds + 2):
        for run, seconds in zip(runs, took, strict=True):
            began = time.process_time()
            run()
            if turn > 1:
                seconds.append((time.process_time() - began) * 1000 / len(pictures))
    features, with_tokens, distances = took
    return {
        "encoders": name,
        "precision": precision,
        "places": tokens.shape[1],
        "features_ms": round(median(features), 2),
        "with_tokens_ms": round(median(with_tokens), 2),
        "distances_ms": round(median(distances), 2),
        "ratio": round(median(b / a for a, b in zip(features, with_tokens, strict=True)), 3),
        "ratio_with_distances": round(
            median((b + c) / a for a, b, c in zip(*took, strict=True)), 3
        ),
        "mean_cosine": mean_cosine(found[0], reference[0]),
        "mean_token_cosine": mean_cosine(found[1], reference[1]),
    }


def mean_cosine(found: NDArray[np.float32], wanted: NDArray[np.float32]) -> float:
    """Of each row to that at its place."""
    pairs = torch.tensor(found), torch.tensor(wanted)
    return float(torch.cosine_similarity(*pairs, dim=-1).mean())


def unit_rows(count: int, width: int) -> NDArray[np.float16]:
    """As many tokens of length 1: for the time that they take."""
    rows = np.random.default_rng(0).normal(size=(count, width))
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float16)


def compiled(model: Any, precision: str) -> Compiled:
    """The network on one thread."""
    import openvino

    config = {"INFERENCE_PRECISION_HINT": HINTS[precision], "INFERENCE_NUM_THREADS": "1"}
    made: Compiled = openvino.Core().compile_model(
        model, "CPU", {**config, "PERFORMANCE_HINT": "LATENCY"}
    )
    return made


def moved(pair: EncoderPair, networks: dict[str, Any], good: int, defects: int) -> Iterator[Row]:
    """How torch's memory judges tokens of each precision."""
    net = FeatureNet(pair, recipe_named("patches"))
    classes = [known.code for known in shipped_product("cable").classes if not known.good]
    remembered = by_torch(net, cables("good", good, 0))
    fine = cables("good", good, 1_000)
    bad = np.concatenate([cables(code, defects, 2_000 + 100 * n) for n, code in enumerate(classes)])
    fitted = fit_memory(remembered.astype(np.float16), RATE)
    reference = [by_torch(net, pictures) for pictures in (fine, bad)]
    yield judged("torch float32", fitted, reference, reference)
    for precision, model in networks.items():
        run = compiled(model, precision)
        found = [
            np.concatenate(
                [run(part)[1] for part in np.array_split(pictures, -(-len(pictures) // BATCH))]
            )
            for pictures in (fine, bad)
        ]
        yield judged(f"openvino {precision}", fitted, found, reference)


def judged(
    backend: str,
    fitted: FittedMemory,
    found: list[NDArray[np.float32]],
    reference: list[NDArray[np.float32]],
) -> Row:
    """What lies beyond the border by these tokens, beside torch's."""
    fine, bad = (scores(fitted.memory.maps(tokens)) for tokens in found)
    before = np.concatenate([scores(fitted.memory.maps(tokens)) for tokens in reference])
    now, border = np.concatenate([fine, bad]), fitted.border
    cosines = [(a * b).sum(axis=-1) for a, b in zip(found, reference, strict=True)]
    return {
        "backend": backend,
        "good": len(fine),
        "defects": len(bad),
        "good_beyond": float((fine > border).mean()),
        "caught": float((bad > border).mean()),
        "auroc": float(roc_auc_score(np.repeat([0, 1], [len(fine), len(bad)]), now)),
        "changed_sides": int(((now > border) != (before > border)).sum()),
        "largest_move_of_border": float(np.abs(now - before).max() / border),
        "mean_token_cosine": float(np.mean([c.mean() for c in cosines])),
        "least_token_cosine": float(min(c.min() for c in cosines)),
    }


def by_torch(net: FeatureNet, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Tokens by the reference."""
    with torch.inference_mode():
        parts = [
            net.with_tokens(part)[1] for part in torch.split(torch.from_numpy(pictures), BATCH)
        ]
        return np.asarray(torch.cat(parts).numpy())


def both_kinds(count: int, seed: int) -> NDArray[np.uint8]:
    """As many pictures, half of them good and half of one defect."""
    return np.concatenate([cables(code, count // 2, seed) for code in ("good", "bent_wire")])


def cables(code: str, count: int, seed: int) -> NDArray[np.uint8]:
    """Simulated pictures of a class, uint8 [count, 3, 224, 224]."""
    made = [render(code, np.random.default_rng(seed + n), size=SIDE) for n in range(count)]
    return np.stack(made).transpose(0, 3, 1, 2).copy()


if __name__ == "__main__":
    main()
