"""Submit to committed, at 20, 60 and 90 % of the measured capacity, against one bare forward.

Arrivals are Poisson (a camera is steadier, several cameras together are not). The clock starts
before `Camera.submit` is called and stops when the receipt reaches Redis (see `receipt_watch`).
The spool's fsync, the sender, the queue, decoding, batching, both networks and the commit are
all in between.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle
from pathlib import Path
from statistics import median
from uuid import UUID

import numpy as np

from benchmarks.benches.pipeline import files_for_a_run, fitted_plants
from benchmarks.contender import OPENVINO_INT8, TORCH, Contender, available
from benchmarks.paired import quantile
from benchmarks.plant import BenchPlant
from benchmarks.receipt_watch import ReceiptWatch
from benchmarks.report import Findings
from benchmarks.scale import scaled
from benchmarks.workplace import Workplace, say
from linewatch.errors import ServiceError

LOADS = (0.2, 0.6, 0.9)
_PATIENCE_S = 300.0  # for the last receipt
_SEED = 7


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """The fastest backend there is; all of them unless quick."""
    contenders = available(OPENVINO_INT8, TORCH)
    kind = workplace.main_database
    findings = Findings({"arrivals": "Poisson", "committed": "receipt in Redis", "database": kind})
    for contender in contenders[: 1 if quick else None]:
        _measure(workplace, contender, findings, seconds=20 if quick else 60)
    first = contenders[0].key
    findings.ratios = {
        "p50_minus_forward_ms": findings.ratios[f"p50_minus_forward_ms_{first}"],
        "p99_to_p50": findings.ratios[f"p99_to_p50_{first}"],
        **findings.ratios,
    }
    return findings


def _measure(
    workplace: Workplace, contender: Contender, findings: Findings, *, seconds: float
) -> None:
    kind = workplace.main_database
    settings = workplace.settings(f"bare-{contender.key}", "")
    with ExitStack() as stack:
        bare = stack.enter_context(workplace.bare(contender, settings))
        plant = fitted_plants(workplace, contender, bare, stack, [kind])[kind]
        paths = files_for_a_run(workplace, bare, settings.max_batch)
        plant.images_per_s(paths[: max(2, len(paths) // 4)])  # warm
        capacity = plant.images_per_s(paths)
        forward_ms = 1000 * median(bare.forward_s(paths, 1, scaled(30)))
        say(f"{contender.name}: {capacity:.1f} images/s at most, forward {forward_ms:.0f} ms")
        rows = [_at(plant, workplace, load, capacity, seconds) for load in LOADS]
        findings.settings[f"verdicts {contender.name}"] = plant.check_judged()
    about = {"backend": contender.name, "capacity_per_s": capacity, "forward_ms": forward_ms}
    findings.rows += [about | row for row in rows]
    at_20, at_60, _ = rows
    findings.ratios[f"p50_minus_forward_ms_{contender.key}"] = at_20["p50_ms"] - forward_ms
    findings.ratios[f"p99_to_p50_{contender.key}"] = at_60["p99_ms"] / at_60["p50_ms"]


def _at(
    plant: BenchPlant, workplace: Workplace, load: float, capacity: float, seconds: float
) -> dict[str, float]:
    rate = load * capacity
    count = scaled(round(rate * seconds), least=5)
    files = cycle(picture.path for picture in workplace.pictures)
    with ReceiptWatch(plant.settings.redis_client_url) as watch:
        submitted = dict(_submitted(plant, files, rate, count))
        _await(plant, watch, submitted)
    waits_ms = [1000 * (watch.committed[id_] - at) for id_, at in submitted.items()]
    shares = {f"p{round(100 * q)}_ms": quantile(waits_ms, q) for q in (0.5, 0.95, 0.99)}
    return {"load": load, "images_per_s": rate, "images": count, **shares}


def _submitted(
    plant: BenchPlant, files: Iterator[Path], rate: float, count: int
) -> Iterator[tuple[UUID, float]]:
    """Submit `count` pictures, `rate` a second on average; yields each id and its moment."""
    gaps = np.random.default_rng(_SEED).exponential(1 / rate, count)
    due = time.time()
    for gap in gaps:
        due += gap
        time.sleep(max(0.0, due - time.time()))
        at = time.time()
        yield plant.camera.submit(next(files)), at


def _await(plant: BenchPlant, watch: ReceiptWatch, submitted: dict[UUID, float]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while missing := submitted.keys() - watch.committed.keys():
        plant.group.check()
        if time.monotonic() > deadline:
            raise ServiceError(f"{len(missing)} receipts stayed away for {_PATIENCE_S:.0f} s")
        time.sleep(0.1)
