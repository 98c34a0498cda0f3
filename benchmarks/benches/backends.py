"""Each backend and precision: speed of the forward alone, agreement with torch float32, memory.

The forward stands beside what this processor multiplies at best in that precision (see
`benchmarks.gemm`): pictures a second times a picture's FLOPs, over FLOP/s of a matrix product.

A head is fitted on torch's features of every second picture. Agreement is judged on the others:
the mean and the lowest cosine between the two features of a picture, and the share of pictures for
which the head says the same class.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from benchmarks.bare import Bare
from benchmarks.contender import ALL, OPENVINO_INT8, TORCH, Contender
from benchmarks.paired import interleave, ratio, spread
from benchmarks.report import Findings
from benchmarks.scale import again, rounds, scaled
from benchmarks.workplace import Workplace, say
from model_store.heads.fit import fit_head
from model_store.heads.head import Head

BATCH = 32


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Measure every backend that this machine has, side by side."""
    findings = Findings({"rounds": rounds(quick), "batch": BATCH, "measured": "forward and head"})
    contenders = []
    for contender in ALL:
        reason = contender.missing()
        if reason is None:
            contenders.append(contender)
        else:
            findings.skip(contender.name, reason)
    with ExitStack() as stack:
        processes = {}
        for contender in contenders:
            say(f"{contender.name}: loading")
            settings = workplace.settings(f"bare-{contender.key}", "")
            processes[contender] = stack.enter_context(workplace.bare(contender, settings))
        _measure(workplace, processes, findings, quick=quick)
    return findings


def _measure(
    workplace: Workplace, processes: dict[Contender, Bare], findings: Findings, *, quick: bool
) -> None:
    pictures, batch = workplace.pictures, scaled(BATCH)
    files = [picture.path for picture in pictures]
    features = {
        contender: bare.features(files, workplace.folder / f"{contender.key}.npy")
        for contender, bare in processes.items()
    }
    version = processes[TORCH].fit(pictures, "cable")
    for bare in processes.values():
        bare.take("cable", version)
    runs = {c.name: partial(_images_per_s, bare, files, batch) for c, bare in processes.items()}
    multiply = {c: bare for c, bare in processes.items() if c in (TORCH, OPENVINO_INT8)}
    flops = processes[TORCH].picture_flops()
    runs |= {_gemm(c): partial(_pictures_of_gemm, bare, flops) for c, bare in multiply.items()}
    say(f"{rounds(quick)} rounds of {len(runs)} backends")
    rates = interleave(runs, rounds(quick), again=again(quick))
    findings.keep("all", rates)
    head = fit_head(features[TORCH][::2], [picture.label for picture in pictures[::2]])
    for contender, bare in processes.items():
        agreement = _agreement(features[TORCH][1::2], features[contender][1::2], head)
        to_torch = ratio(rates, contender.name, TORCH.name)
        memory = {"loaded_mib": bare.about["rss_mib"], "peak_mib": bare.memory()["peak_mib"]}
        row = {"backend": contender.name, "images_per_s": spread(rates[contender.name])}
        findings.rows.append({**row, "to_torch": to_torch["median"], **agreement, **memory})
        if contender != TORCH:
            findings.ratios[f"{contender.key}_to_torch"] = to_torch
            findings.ratios[f"{contender.key}_cosine"] = agreement["cosine_mean"]
            findings.ratios[f"{contender.key}_same_class"] = agreement["same_class"]
    for contender in multiply:
        share = ratio(rates, contender.name, _gemm(contender))
        findings.ratios[f"{contender.key}_to_gemm"] = share
        at_best = {
            "flops": flops * median(rates[_gemm(contender)]),
            "forward_to_gemm": share["median"],
        }
        findings.rows.append({"backend": contender.name, "alone": "matrix product", **at_best})
    findings.settings["FLOPs a picture"] = flops
    findings.settings["encoders"] = processes[TORCH].about["encoders"]
    findings.settings["pictures compared"] = len(pictures[1::2])


def _images_per_s(bare: Bare, files: list[Path], batch: int) -> float:
    (seconds,) = bare.forward_s(files, batch, 1)
    return batch / seconds


def _gemm(contender: Contender) -> str:
    return f"{contender.name}, matrix product"


def _pictures_of_gemm(bare: Bare, flops: int) -> float:
    """Pictures a second, were a forward as fast as the matrix products it could be made of."""
    return bare.gemm_flops() / flops


def _agreement(theirs: Any, ours: Any, head: Head) -> dict[str, float]:
    lengths = np.linalg.norm(theirs, axis=1) * np.linalg.norm(ours, axis=1)
    cosines = (theirs * ours).sum(axis=1) / lengths
    same = _classes(theirs, head) == _classes(ours, head)
    return {
        "cosine_mean": float(cosines.mean()),
        "cosine_least": float(cosines.min()),
        "same_class": float(same.mean()),
    }


def _classes(features: Any, head: Head) -> Any:
    weight, bias = head.affine()
    return (features.astype(np.float64) @ weight.T + bias).argmax(axis=1)
