"""Tests and intervals for two models' answers about the same pictures. Pure."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from model_store.promise.bounds import tail
from quality.arrays import Floats

RESAMPLES = 2000
Codes = npt.NDArray[np.int64]


def mcnemar(b: int, c: int) -> float:
    """The two-sided exact McNemar test: b and c are fair coin tosses where models do not differ.

    Source: Q. McNemar, Psychometrika 12 (1947) 153-157, with the binomial distribution itself in
    place of chi-squared; equal to `scipy.stats.binomtest(b, b + c).pvalue`.
    """
    return min(1.0, 2 * tail(min(b, c), b + c, 0.5))


def macro_f1(truth: npt.NDArray[np.int64], said: npt.NDArray[np.int64], k: int) -> float:
    """Mean F1 of the classes that occur in `truth`; -1 in `said` is no class."""
    counts = np.bincount(truth, minlength=k)
    right = np.bincount(truth[truth == said], minlength=k)
    total = counts + np.bincount(said[said >= 0], minlength=k)
    occur = counts > 0
    return float(np.mean(2 * right[occur] / total[occur]))


def bootstrap_interval(
    truth: npt.NDArray[np.int64],
    old: npt.NDArray[np.int64],
    new: npt.NDArray[np.int64],
    k: int,
    random_state: int,
) -> tuple[float, float]:
    """95 % percentile interval of macro F1 (new) − macro F1 (old), paired, drawn class by class.

    Source: B. Efron and R. Tibshirani, An Introduction to the Bootstrap (1993), chapters 13 and 8
    (stratified draws).
    """
    rng = np.random.default_rng(random_state)
    # Pictures of the same class that were told the same are one cell: drawing pictures class by
    # class is drawing the cells' counts, and costs the cells, not the pictures.
    cells, counts = np.unique(np.stack([truth, old, new], axis=1), axis=0, return_counts=True)
    drawn = np.empty((RESAMPLES, len(cells)))
    for code in np.unique(truth):
        mine = cells[:, 0] == code
        n = counts[mine].sum()
        drawn[:, mine] = rng.multinomial(n, counts[mine] / n, size=RESAMPLES)
    f1 = [_drawn_macro_f1(drawn, cells[:, 0], said, k) for said in (cells[:, 1], cells[:, 2])]
    low, high = np.percentile(f1[1] - f1[0], [2.5, 97.5])
    return float(low), float(high)


def _drawn_macro_f1(drawn: Floats, truth: Codes, said: Codes, k: int) -> Floats:
    """Macro F1 of each resample, float64 [r], from how often it drew each cell, [r, cells]."""
    actual, named = np.eye(k)[truth], np.where(said[:, None] >= 0, np.eye(k)[said], 0.0)
    right = drawn @ (actual * named)
    total = drawn @ actual + drawn @ named
    occur = np.flatnonzero(actual.any(axis=0))
    mean: Floats = (2 * right[:, occur] / total[:, occur]).mean(axis=1)
    return mean
