"""Pictures that come at random, and the receipts for them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import count, cycle
from pathlib import Path
from uuid import UUID

import numpy as np

from benchmarks.plant import BenchPlant
from benchmarks.receipt_watch import ReceiptWatch
from linewatch.errors import ServiceError

_PATIENCE_S = 300.0  # for the last receipt
_seeds = count(7)  # each stream has arrivals of its own


def poisson(
    plant: BenchPlant, files: cycle[Path], rate: float, number: int
) -> Iterator[tuple[UUID, float]]:
    """Submit `number` pictures, `rate` a second on average; yields each id and its moment."""
    gaps = np.random.default_rng(next(_seeds)).exponential(1 / rate, number)
    due = time.time()
    for gap in gaps:
        due += gap
        time.sleep(max(0.0, due - time.time()))
        at = time.time()
        yield plant.camera.submit(next(files)), at


def await_receipts(
    plant: BenchPlant, watch: ReceiptWatch, submitted: Mapping[UUID, float]
) -> list[float]:
    """Wait until all are committed; returns how long each one took from its submission, in ms."""
    deadline = time.monotonic() + _PATIENCE_S
    while missing := submitted.keys() - watch.committed.keys():
        plant.group.check()
        if time.monotonic() > deadline:
            raise ServiceError(f"{len(missing)} receipts stayed away for {_PATIENCE_S:.0f} s")
        time.sleep(0.1)
    return [1000 * (watch.committed[id_] - at) for id_, at in submitted.items()]
