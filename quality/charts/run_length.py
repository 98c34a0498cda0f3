"""How long a chart runs until its first false alarm, by simulation at a frozen baseline. Pure.

The in-control average run length (ARL): the mean number of points up to and including the first
signal while the process is as in the baseline. Its inverse is about the share of false alarms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf, sqrt

import numpy as np
import numpy.typing as npt

from quality.arrays import Floats
from quality.charts.attribute_charts import Baseline, Kind
from quality.charts.in_control import LEAST_TOTAL, beta_total
from quality.charts.run_rules import Rule

Ints = npt.NDArray[np.int64]
RUNS = 2_000
LONGEST = 20_000  # points after which a run is given up


@dataclass(frozen=True, slots=True)
class RunLength:
    """An average run length.

    Attributes:
        points: its mean, in points of the chart; infinite where no run ended.
        standard_error: of the mean; infinite with it.
        runs: how many were simulated.
        given_up: how many of these had no signal within `LONGEST` points.
    """

    points: float
    standard_error: float
    runs: int
    given_up: int


def average_run_length(
    baseline: Baseline,
    rules: Sequence[Rule],
    sizes: Sequence[int] = (),
    *,
    runs: int = RUNS,
    longest: int = LONGEST,
    seed: int = 0,
) -> RunLength:
    """Simulate many charts side by side until each has signalled.

    Where runs are given up the mean is all points by the number of signals, which is its maximum
    likelihood where the chance of a signal is the same at each point.

    Args:
        rules: at least one.
        sizes: parts of the subgroups that are to come; each simulated one has one of these sizes,
            drawn anew. Without any, as many as a usual subgroup of the baseline. A g chart needs
            none.

    Raises:
        ValueError: no rule, a size below 1, or fewer than 2 runs.
    """
    if not rules or min(sizes, default=1) < 1 or runs < 2:
        raise ValueError("a run length needs a rule, subgroups with parts, and at least 2 runs")
    rng = np.random.default_rng(seed)
    choice = np.asarray(sizes or (baseline.usual_parts,), np.int64)
    lengths = _simulated(baseline, rules, choice, runs, longest, rng)
    ended = int((lengths > 0).sum())
    if ended == 0:
        return RunLength(inf, inf, runs, runs)
    points = np.where(lengths > 0, lengths, longest)
    if ended < runs:
        mean = float(points.sum()) / ended
        return RunLength(mean, mean / sqrt(ended), runs, runs - ended)
    mean, deviation = float(points.mean()), float(points.std(ddof=1))
    return RunLength(mean, deviation / sqrt(runs), runs, 0)


def in_parts(baseline: Baseline, length: RunLength, usual: int | None = None) -> float:
    """The same average in parts: what a subgroup has, or what lies between nonconforming parts."""
    if baseline.kind is Kind.G:
        return length.points / baseline.rate
    return length.points * (usual or baseline.usual_parts)


def draw(baseline: Baseline, parts: Ints, rng: np.random.Generator) -> Floats:
    """The z values of points of a process that is as in the baseline.

    Args:
        parts: int64 [n], of each subgroup; for g charts only how many there are counts.

    Returns:
        float64 [n].
    """
    if baseline.kind is Kind.G:
        gaps = rng.geometric(baseline.rate, size=len(parts)) - 1
        return np.asarray((gaps - baseline.mean_gap) / baseline.gap_sigma)
    rate: float | Floats = baseline.rate
    if baseline.sigma_z > 1:
        total = np.maximum(beta_total(baseline, parts), LEAST_TOTAL)
        rate = rng.beta(baseline.rate * total, (1 - baseline.rate) * total)
    counts = rng.binomial(parts, rate)
    sigma = np.sqrt(baseline.rate * (1 - baseline.rate) / parts) * max(1.0, baseline.sigma_z)
    return np.asarray((counts / parts - baseline.rate) / sigma)


def _simulated(
    baseline: Baseline,
    rules: Sequence[Rule],
    sizes: Ints,
    runs: int,
    longest: int,
    rng: np.random.Generator,
) -> Ints:
    """The point of the first signal of each run, from 1; 0 where there was none."""
    lengths = np.zeros(runs, np.int64)
    running = np.arange(runs)
    memory: deque[Floats] = deque(maxlen=max(rule.points for rule in rules))
    for point in range(1, longest + 1):
        parts = sizes[rng.integers(len(sizes), size=len(running))]
        memory.append(draw(baseline, parts, rng))
        signal = np.zeros(len(running), bool)
        for rule in rules:
            if rule.points <= point:
                signal |= rule.holds(list(memory)[-rule.points :])
        if signal.any():
            lengths[running[signal]] = point
            running = running[~signal]
            for place, scores in enumerate(memory):
                memory[place] = scores[~signal]
        if not len(running):
            break
    return lengths
