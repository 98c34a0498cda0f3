"""Pictures that nobody schedules: they come as a Poisson process. And the receipts for them.

A camera is steadier, several cameras together are not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import count
from pathlib import Path
from uuid import UUID

import numpy as np

from benchmarks.plant import BenchPlant
from benchmarks.receipt_watch import ReceiptWatch
from linewatch.errors import ServiceError

_PATIENCE_S = 300.0  # for the last receipt
_seeds = count(7)  # each call has arrivals of its own, the same in every run


def poisson(rate: float, number: int) -> Iterator[float]:
    """Wait for each of `number` arrivals, `rate` a second on average; yields the wall clock then.

    Who is late finds the next ones due at once, so a slow reader does not thin the load.
    """
    gaps = np.random.default_rng(next(_seeds)).exponential(1 / rate, number)
    due = time.time()
    for gap in gaps:
        due += gap
        time.sleep(max(0.0, due - time.time()))
        yield time.time()


def submitting(
    plant: BenchPlant, files: Iterator[Path], rate: float, number: int
) -> Iterator[tuple[UUID, float]]:
    """Submit `number` pictures, `rate` a second on average; yields each id and its moment."""
    for at in poisson(rate, number):
        yield plant.camera.submit(next(files)), at


def await_receipts(
    plant: BenchPlant, watch: ReceiptWatch, submitted: Mapping[UUID, float]
) -> list[float]:
    """Wait until all are committed; returns how long each one took from its submission, in ms.

    Raises:
        ServiceError: receipts stay away.
    """
    deadline = time.monotonic() + _PATIENCE_S
    while missing := submitted.keys() - watch.committed.keys():
        plant.group.check()
        if time.monotonic() > deadline:
            raise ServiceError(f"{len(missing)} receipts stayed away for {_PATIENCE_S:.0f} s")
        time.sleep(0.1)
    return [1000 * (watch.committed[id_] - at) for id_, at in submitted.items()]
