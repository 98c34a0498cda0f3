"""Drift: has what a camera sees, or how the model answers, changed since its baseline? Pure.

Needs no labels. Six signals, each with a chart of its own: where the features lie (on a few random
projections), the confidence of the first choice, how often a part goes to a person or cannot be
judged, and light and focus of the pictures, of which trained encoders take little notice. The
baseline is a camera's first parts under a model.
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
from quality.drift.drift_charts import BoundedChart, BoundedState, MeanChart, RateChart
from quality.drift.optics import Optics

PROJECTIONS = 12
_SEED = 20261124
_FEWEST = 10  # values for each number that a chart of means watches
_RECOVERED = 0.5  # of the limit: an alarm that flickers is no use


class Signal(StrEnum):
    """What is watched."""

    FEATURES = "features"
    CONFIDENCE = "confidence"
    REVIEW = "review"
    REJECT = "reject"
    LIGHT = "light"
    FOCUS = "focus"


class Sample(NamedTuple):
    """One part, as the charts see it. None where it was not judged, or its features not kept.

    Attributes:
        optics: of its picture; None where nobody measured them.
    """

    projections: Floats | None
    confidence: float | None
    review: bool | None
    rejected: bool
    optics: Optics | None = None


# What a later version may add to a baseline, this one does not watch.
_STORED = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Baseline(BaseModel):
    """The charts of one camera under one model; a signal that has none is not watched.

    Its form is that of 0.1.0, whose workers refuse one with more fields.
    """

    model_config = _STORED

    parts: int = Field(ge=1)
    features: MeanChart | None
    confidence: MeanChart | None
    review: RateChart | None
    reject: RateChart | None


class OpticsBaseline(BaseModel):
    """The charts of light and focus of one camera under one model, kept beside its `Baseline`."""

    model_config = _STORED

    parts: int = Field(ge=1)
    light: BoundedChart
    focus: BoundedChart


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


def fit_optics(
    samples: Sequence[Sample], *, false_alarm: float = 0.1, seed: int = 0
) -> OpticsBaseline | None:
    """The charts of light and focus; None where hardly a part was measured. Else as the above."""
    measured = np.array([s.optics for s in samples if s.optics is not None], np.float64)
    if len(measured) < _FEWEST:
        return None
    rng = np.random.default_rng([seed, 1])
    light, focus = (
        BoundedChart.fitted(column, false_alarm=false_alarm / len(Signal), rng=rng)
        for column in measured.T
    )
    return OpticsBaseline(parts=len(measured), light=light, focus=focus)


class DriftCharts:
    """One camera's charts as they stand.

    Args:
        baseline: what they compare with.
        optics: likewise, of light and focus; None: these are not watched, until `watch` says so.
        alarmed: the signals whose alarm stands already.
    """

    def __init__(
        self,
        baseline: Baseline,
        optics: OpticsBaseline | None = None,
        alarmed: Sequence[Signal] = (),
    ) -> None:
        self._features = baseline.features and baseline.features.start()
        self._confidence = baseline.confidence and baseline.confidence.start_number()
        self._review = baseline.review and baseline.review.start()
        self._reject = baseline.reject and baseline.reject.start()
        self._optics: tuple[BoundedState, BoundedState] | None = None
        signals = (Signal.FEATURES, Signal.CONFIDENCE, Signal.REVIEW, Signal.REJECT)
        watched = [signal for signal in signals if getattr(baseline, signal) is not None]
        self.scores = dict.fromkeys(watched, 0.0)
        self.alarmed = set(alarmed)
        if optics is not None:
            self.watch(optics)

    def watch(self, optics: OpticsBaseline) -> None:
        """From now on compare light and focus as well."""
        self._optics = optics.light.start(), optics.focus.start()
        # Another thread may be reading the scores.
        self.scores = {**self.scores, Signal.LIGHT: 0.0, Signal.FOCUS: 0.0}

    @property
    def watches_optics(self) -> bool:
        """Whether light and focus are compared."""
        return self._optics is not None

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
        if self._optics and sample.optics is not None:
            light, focus = self._optics
            self.scores[Signal.LIGHT] = light.note(sample.optics.light)
            self.scores[Signal.FOCUS] = focus.note(sample.optics.focus)
        begun = {s for s, score in self.scores.items() if score > 1 and s not in self.alarmed}
        ended = {s for s in self.alarmed if self.scores.get(s, 0.0) < _RECOVERED}
        self.alarmed = (self.alarmed | begun) - ended
        return begun


def _mean_chart(
    values: Sequence[npt.ArrayLike], false_alarm: float, rng: np.random.Generator
) -> MeanChart | None:
    """A chart, if there are enough values for each number they hold."""
    matrix = np.asarray(values, np.float64)
    if matrix.ndim != 2 or len(matrix) < _FEWEST * matrix.shape[1]:
        return None
    return MeanChart.fitted(matrix, false_alarm=false_alarm, rng=rng)
