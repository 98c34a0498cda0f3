"""When pictures come that nobody schedules: as a Poisson process.

A camera is steadier, several cameras together are not.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count

import numpy as np

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
