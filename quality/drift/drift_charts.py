"""Control charts that look at one part after another, and alarm seldom while nothing has changed.

`MeanChart` watches where numbers lie, `BoundedChart` likewise one number that may be far off for
single parts, `RateChart` how often something happens. The limit of each is found by simulation:
many runs of undrifted parts, each with a baseline of its own, drawn from the one that was measured.
So the limit allows for a short baseline and for any distribution.

Lowry, Woodall, Champ and Rigdon, "A Multivariate Exponentially Weighted Moving Average Control
Chart", Technometrics 1992; Page, "Continuous Inspection Schemes", Biometrika 1954; Reynolds and
Stoumbos, "A CUSUM Chart for Monitoring a Proportion When Inspecting Continuously", Journal of
Quality Technology 1999; Tukey, "Exploratory Data Analysis", 1977, for the fences.
"""

from __future__ import annotations

from math import log

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from quality.arrays import Floats

SPAN = 10_000  # parts that the chance of a false alarm is for
FEWEST = 20  # parts that a baseline of a rate needs
SMOOTHING = 0.05  # the weight of the newest part: the chart remembers about the last 40
_RUNS, _RUN = (
    1_000,
    2_000,
)  # simulated runs, and the parts of each: much more than a chart remembers
_LEAST_T2 = 10.0  # where the baseline did not vary at all
_FENCE = 3.0  # interquartile ranges beyond the quartiles: Tukey's outer fences


class MeanChart(BaseModel):
    """Watches the mean of a vector: the length of its moving average, in standard deviations.

    T² = (2 − λ)/λ · ‖z‖², where z is the exponentially weighted mean of the whitened vectors.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    mean: tuple[float, ...]
    whitening: tuple[tuple[float, ...], ...] = Field(description="Inverse Cholesky factor.")
    limit: float = Field(gt=0, description="Of T².")

    @classmethod
    def fitted(cls, values: Floats, *, false_alarm: float, rng: np.random.Generator) -> MeanChart:
        """A chart for parts like those of the baseline.

        Args:
            values: float64 [m, r], the baseline.
            false_alarm: the chance of an alarm in 10,000 undrifted parts.
            rng: draws the simulated runs.
        """
        mean, whitening = _standard(values)
        limit = _limit(_highest_t2(values, rng), false_alarm)
        return cls(
            mean=tuple(mean),
            whitening=tuple(map(tuple, whitening)),
            limit=max(limit, _LEAST_T2),
        )

    def start(self) -> MeanState:
        """The chart's state before the first part."""
        return MeanState(np.asarray(self.mean), np.asarray(self.whitening), self.limit)

    def start_number(self) -> NumberState:
        """The same, of a chart of one number."""
        (mean,), ((whitening,),) = self.mean, self.whitening
        return NumberState(mean, whitening, self.limit)


class MeanState:
    """Where a `MeanChart` is: feed it one part after another.

    Every part of every line passes here: what does not change is multiplied out beforehand.
    """

    def __init__(self, mean: Floats, whitening: Floats, limit: float) -> None:
        self._gain = SMOOTHING * whitening
        self._offset = self._gain @ mean
        self._scale = (2 - SMOOTHING) / SMOOTHING / limit
        self._average = np.zeros(len(mean))

    def note(self, value: Floats) -> float:
        """Take float64 [r]; returns T² as a share of its limit. Above 1, it is an alarm."""
        self._average *= 1 - SMOOTHING
        self._average += self._gain @ value
        self._average -= self._offset
        return self._scale * float(self._average @ self._average)


class NumberState:
    """A `MeanState` of one number, in Python's own: an array of one costs ten times as much."""

    def __init__(self, mean: float, whitening: float, limit: float) -> None:
        self._gain = SMOOTHING * whitening
        self._offset = self._gain * mean
        self._scale = (2 - SMOOTHING) / SMOOTHING / limit
        self._average = 0.0

    def note(self, value: float) -> float:
        """Take a number; returns T² as a share of its limit. Above 1, it is an alarm."""
        self._average = self._average * (1 - SMOOTHING) + self._gain * value - self._offset
        return self._scale * self._average * self._average


class BoundedChart(BaseModel):
    """A `MeanChart` of one number, in which a part far off counts as one at Tukey's outer fence.

    So one black picture is no alarm, nor does one in the baseline hide what comes later; a change
    that lasts is seen within a few parts, however large.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    chart: MeanChart
    least: float
    most: float

    @classmethod
    def fitted(
        cls, values: Floats, *, false_alarm: float, rng: np.random.Generator
    ) -> BoundedChart:
        """A chart for parts like those of the baseline, float64 [m]; else as `MeanChart.fitted`."""
        low, high = (float(quartile) for quartile in np.quantile(values, (0.25, 0.75)))
        reach = _FENCE * (high - low) or 1.0  # most are the same: a stop, of light or focus
        least, most = low - reach, high + reach
        bounded = np.clip(values, least, most)[:, None]
        chart = MeanChart.fitted(bounded, false_alarm=false_alarm, rng=rng)
        return cls(chart=chart, least=least, most=most)

    def start(self) -> BoundedState:
        """The chart's state before the first part."""
        return BoundedState(self.chart.start_number(), self.least, self.most)


class BoundedState:
    """Where a `BoundedChart` is: feed it one part after another."""

    def __init__(self, state: NumberState, least: float, most: float) -> None:
        self._state, self._least, self._most = state, least, most

    def note(self, value: float) -> float:
        """Take a number; returns T² as a share of its limit. Above 1, it is an alarm."""
        return self._state.note(min(max(value, self._least), self._most))


class RateChart(BaseModel):
    """Watches how often something happens: sums what exceeds `allowance` a part, from 0 up."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    rate: float = Field(ge=0, le=1, description="Of the baseline.")
    allowance: float = Field(gt=0, lt=1)
    limit: float = Field(gt=0)

    @classmethod
    def fitted(
        cls, happened: int, parts: int, *, false_alarm: float, rng: np.random.Generator
    ) -> RateChart | None:
        """A chart that soon sees 2.5 times the baseline's rate, or 8 parts in 100 more.

        Args:
            happened: how often it happened in the baseline.
            parts: the baseline's length.
            false_alarm: the chance of an alarm in 10,000 undrifted parts.
            rng: draws the simulated runs.

        Returns:
            None where it happens to nearly every part and cannot grow, or the baseline is short.
        """
        if parts < FEWEST:
            return None
        rate = (happened + 0.5) / (parts + 1)
        shifted = max(2.5 * rate, rate + 0.08)
        if shifted >= 1:
            return None
        grow = log((1 - rate) / (1 - shifted))
        allowance = grow / (grow + log(shifted / rate))
        true = rng.beta(happened + 0.5, parts - happened + 0.5, size=_RUNS)
        limit = _limit(_highest_sum(true, allowance, rng), false_alarm)
        return cls(rate=happened / parts, allowance=allowance, limit=max(limit, 1.0))

    def start(self) -> RateState:
        """The chart's state before the first part."""
        return RateState(self.allowance, self.limit)


class RateState:
    """Where a `RateChart` is: feed it one part after another."""

    def __init__(self, allowance: float, limit: float) -> None:
        self._allowance, self._limit = allowance, limit
        self._sum = 0.0

    def note(self, happened: bool) -> float:
        """Take one part; returns the sum as a share of its limit. Above 1, it is an alarm."""
        # Capped, so that a long alarm does not outlive its cause by as long again.
        self._sum = min(max(0.0, self._sum + happened - self._allowance), 1.5 * self._limit)
        return self._sum / self._limit


def _standard(values: Floats) -> tuple[Floats, Floats]:
    """Mean [r], and W [r, r] such that W (x − mean) has unit covariance."""
    covariance = np.atleast_2d(np.cov(values, rowvar=False))
    floor = 1e-6 * float(np.trace(covariance)) / len(covariance) + 1e-8
    factor = np.linalg.cholesky(covariance + floor * np.eye(len(covariance)))
    return values.mean(axis=0), np.linalg.inv(factor)


def _limit(highest: Floats, false_alarm: float) -> float:
    """What the highest statistic of a simulated run exceeds just seldom enough.

    A span of parts is taken as several runs one after another. They share a baseline, which only
    makes alarms in the same span likelier to come together: the limit errs towards fewer.
    """
    return float(np.quantile(highest, (1 - false_alarm) ** (_RUN / SPAN)))


def _highest_t2(values: Floats, rng: np.random.Generator) -> Floats:
    """The highest T² in each undrifted run, whose baselines were drawn anew."""
    count, dim = values.shape
    standard = np.empty((_RUNS, count, dim), np.float32)
    for run in range(_RUNS):
        mean, whitening = _standard(values[rng.integers(count, size=count)])
        standard[run] = (values - mean) @ whitening.T
    average = np.zeros((_RUNS, dim), np.float32)
    highest = np.zeros(_RUNS)
    rows = np.arange(_RUNS)
    for _ in range(_RUN):
        average += SMOOTHING * (standard[rows, rng.integers(count, size=_RUNS)] - average)
        np.maximum(highest, np.einsum("rd,rd->r", average, average), out=highest)
    return np.asarray((2 - SMOOTHING) / SMOOTHING * highest)


def _highest_sum(rates: Floats, allowance: float, rng: np.random.Generator) -> Floats:
    """The highest sum in each undrifted run; the true rates are those the baseline allows."""
    total, highest = np.zeros(len(rates)), np.zeros(len(rates))
    for _ in range(_RUN):
        total = np.maximum(0, total + (rng.random(len(rates)) < rates) - allowance)
        np.maximum(highest, total, out=highest)
    return highest
