"""Linewatch against what one would write in an afternoon (`benchmarks/peers/naive.py`)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial

from benchmarks.benches.pipeline import files_for_a_run, fitted_plants, run_s
from benchmarks.contender import OPENVINO_INT8, TORCH, available
from benchmarks.jpegs import repeated
from benchmarks.paired import interleave, ratio, spread
from benchmarks.peers.naive_plant import NaivePlant
from benchmarks.report import Findings
from benchmarks.scale import again, rounds, scaled
from benchmarks.workplace import Workplace, say

_NAIVE = "naive"
_NAIVE_IMAGES = 64


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """All of them take turns on the same files and the same kind of database."""
    kind = workplace.main_database
    findings = Findings({"database": kind, "naive": "prefork -c 2, one torch thread a process"})
    if OPENVINO_INT8.missing():
        findings.skip(OPENVINO_INT8.name, OPENVINO_INT8.missing() or "")
    with ExitStack() as stack:
        say("naive: fitting")
        naive = stack.enter_context(NaivePlant(workplace, kind))
        naive.start(workplace.pictures[:18])
        files = repeated(workplace.pictures, scaled(_NAIVE_IMAGES // 2 if quick else _NAIVE_IMAGES))
        runs: dict[str, Callable[[], float]] = {_NAIVE: partial(naive.images_per_s, files)}
        contenders = available(TORCH, OPENVINO_INT8)
        for contender in contenders:
            say(f"{contender.name}: loading")
            settings = workplace.settings("bare", "")
            with workplace.bare(contender, settings) as bare:
                plant = fitted_plants(workplace, contender, bare, stack, [kind])[kind]
                paths = files_for_a_run(workplace, bare, settings.max_batch, run_s(quick))
            runs[contender.name] = partial(plant.images_per_s, paths)
            plant.images_per_s(paths[: max(2, len(paths) // 4)])  # warm
        rates = interleave(runs, rounds(quick), again=again(quick))
    findings.keep("all", rates)
    for name, values in rates.results.items():
        findings.rows.append({"way": name, "images_per_s": spread(values)})
    for contender in contenders:
        name = f"pipeline_to_naive_{contender.key}"
        findings.ratios[name] = ratio(rates, contender.name, _NAIVE)
    best = OPENVINO_INT8 if OPENVINO_INT8 in contenders else TORCH
    findings.ratios["pipeline_to_naive"] = findings.ratios[f"pipeline_to_naive_{best.key}"]
    findings.settings["pipeline_to_naive is of"] = best.name
    return findings
