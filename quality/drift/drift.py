"""Drift: has what a camera sees, or how the model answers, changed since its baseline? Pure.

Needs no labels. Four signals, each with a chart of its own: where the features lie (on a few
random projections), the confidence of the first choice, and how often a part goes to a person or
cannot be judged. The baseline is a camera's first parts under a model.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from quality.arrays import Floats
from quality.drift.drift_charts import MeanChart, RateChart

PROJECTIONS = 12
_SEED = 20261124
_RECOVERED = 0.5  # of the limit: an alarm that flickers is no use


class Signal(StrEnum):
    """What is watched."""

    FEATURES = "features"
    CONFIDENCE = "confidence"
    REVIEW = "review"
    REJECT = "reject"


class Sample(NamedTuple):
    """One part, as the charts see it. None where it was not judged, or its features not kept."""

    projections: Floats | None
    confidence: float | None
    review: bool | None
    rejected: bool


class Baseline(BaseModel):
    """The charts of one camera under one model; a signal that has none is not watched."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    parts: int = Field(ge=1)
    features: MeanChart | None
    confidence: MeanChart | None
    review: RateChart | None
    reject: RateChart | None


def project(features: npt.ArrayLike) -> Floats:
    """Features float [n, d] on 12 random directions, float64 [n, 12].

    The directions hold +1 and −1 (Achlioptas, "Database-friendly Random Projections", 2003), from a
    bit stream that NumPy guarantees: a baseline outlives the process and the library.
    """
    matrix = np.asarray(features, np.float64)
    return np.asarray(matrix @ _directions(matrix.shape[1]))


@lru_cache(maxsize=4)
def _directions(dim: int) -> Floats:
    bits = np.random.PCG64([_SEED, dim]).random_raw(dim * PROJECTIONS) >> np.uint64(63)
    signs = np.where(bits.astype(bool), 1.0, -1.0).reshape(dim, PROJECTIONS)
    return np.asarray(signs / np.sqrt(dim))


def fit_baseline(samples: Sequence[Sample], *, false_alarm: float = 0.1, seed: int = 0) -> Baseline:
    """The charts for parts like these.

    Args:
        samples: a camera's first parts, a few hundred.
        false_alarm: the chance that any of the charts alarms in 10,000 undrifted parts.
        seed: of the simulation that finds the limits.
    """
    rng = np.random.default_rng(seed)
    each = false_alarm / len(Signal)
    features = [s.projections for s in samples if s.projections is not None]
    confidences = [[s.confidence] for s in samples if s.confidence is not None]
    judged = [s.review for s in samples if s.review is not None]
    return Baseline(
        parts=len(samples),
        features=_mean_chart(features, each, rng),
        confidence=_mean_chart(confidences, each, rng),
        review=RateChart.fitted(sum(judged), len(judged), false_alarm=each, rng=rng),
        reject=RateChart.fitted(
            sum(s.rejected for s in samples), len(samples), false_alarm=each, rng=rng
        ),
    )


class DriftCharts:
    """One camera's charts as they stand.

    Args:
        baseline: what they compare with.
        alarmed: the signals whose alarm stands already.
    """

    def __init__(self, baseline: Baseline, alarmed: Sequence[Signal] = ()) -> None:
        self._features = baseline.features and baseline.features.start()
        self._confidence = baseline.confidence and baseline.confidence.start_number()
        self._review = baseline.review and baseline.review.start()
        self._reject = baseline.reject and baseline.reject.start()
        watched = [signal for signal in Signal if getattr(baseline, signal) is not None]
        self.scores = dict.fromkeys(watched, 0.0)
        self.alarmed = set(alarmed)

    def note(self, sample: Sample) -> set[Signal]:
        """Take the next part; returns the signals that have just begun to alarm.

        `scores` holds each signal's statistic as a share of its limit. An alarm ends once that is
        below one half.
        """
        if self._features and sample.projections is not None:
            self.scores[Signal.FEATURES] = self._features.note(sample.projections)
        if self._confidence and sample.confidence is not None:
            self.scores[Signal.CONFIDENCE] = self._confidence.note(sample.confidence)
        if self._review and sample.review is not None:
            self.scores[Signal.REVIEW] = self._review.note(sample.review)
        if self._reject:
            self.scores[Signal.REJECT] = self._reject.note(sample.rejected)
        begun = {s for s, score in self.scores.items() if score > 1 and s not in self.alarmed}
        ended = {s for s in self.alarmed if self.scores.get(s, 0.0) < _RECOVERED}
        self.alarmed = (self.alarmed | begun) - ended
        return begun


def _mean_chart(
    values: Sequence[npt.ArrayLike], false_alarm: float, rng: np.random.Generator
) -> MeanChart | None:
    """A chart, if there are ten values or more for each number they hold."""
    matrix = np.asarray(values, np.float64)
    if matrix.ndim != 2 or len(matrix) < 10 * matrix.shape[1]:
        return None
    return MeanChart.fitted(matrix, false_alarm=false_alarm, rng=rng)
