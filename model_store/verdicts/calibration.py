"""Calibration: a model that says 90 % should be right nine times in ten.

Temperature scaling divides all logits by one number. It keeps the order of the classes, so accuracy
stays as it is, and the head stays one affine layer.

Guo, Pleiss, Sun and Weinberger, "On Calibration of Modern Neural Networks", ICML 2017.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from linewatch.errors import ModelError
from model_store.heads.head import Head
from quality.arrays import Floats

Ints = npt.NDArray[np.int64]

BINS = 15  # of the expected calibration error, as in the paper
COLDEST, HOTTEST = 0.05, 20.0
_PARTS = 5  # the temperature is fitted on four fifths and judged on the fifth
_FEWEST = 10  # pictures; with fewer, nothing can be said
_SMALLEST = 1e-12  # stands for a probability that was rounded to 0
_LEAST = 1e-300  # of those that have a logit: it is divided where the head serves, however far off


class Calibration(BaseModel):
    """What calibration did, on pictures that neither model nor temperature had seen."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    temperature: float = Field(gt=0, description="The logits were divided by it.")
    pictures: int = Field(ge=1)
    nll_before: float = Field(ge=0, description="Mean negative log-likelihood, in nats.")
    nll_after: float = Field(ge=0)
    ece_before: float = Field(ge=0, le=1, description="Expected calibration error, 15 bins.")
    ece_after: float = Field(ge=0, le=1)


def calibrate(
    probabilities: Floats,
    actual: Ints,
    parts: Ints | None = None,
    weights: Floats | None = None,
) -> Calibration:
    """Find the temperature from out-of-fold probabilities, and say what it is worth.

    Args:
        probabilities: float64 [n, k], of pictures that the model had not seen.
        actual: int64 [n], each picture's class.
        parts: int64 [n], the number of each picture's part; None: each is one.
        weights: float64 [n], how much each picture counted where the model was fitted; None: alike.

    Returns:
        The temperature from all pictures. The figures after it are cross-fitted: each fifth of the
        parts is scaled by the temperature of the other four. Where that does not lower the negative
        log-likelihood, or there are fewer than 10 pictures, the temperature is 1.
    """
    before = negative_log_likelihood(probabilities, actual, weights)
    scaled, temperature = probabilities, 1.0
    if len(actual) >= _FEWEST:
        crossed = cross_fitted(probabilities, actual, parts, weights)
        if negative_log_likelihood(crossed, actual, weights) < before:
            scaled, temperature = crossed, fit_temperature(probabilities, actual, weights)
    return Calibration(
        temperature=temperature,
        pictures=len(actual),
        nll_before=before,
        nll_after=negative_log_likelihood(scaled, actual, weights),
        ece_before=expected_calibration_error(probabilities, actual, weights=weights),
        ece_after=expected_calibration_error(scaled, actual, weights=weights),
    )


def fit_temperature(probabilities: Floats, actual: Ints, weights: Floats | None = None) -> float:
    """The temperature with the least negative log-likelihood, between 0.05 and 20.

    The likelihood is concave in the inverse temperature (Guo et al., section 4.2), so a bounded
    search in one dimension finds it.
    """
    from scipy.optimize import minimize_scalar

    logits = _logits(probabilities)
    rows = np.arange(len(actual))

    def loss(inverse: float) -> float:
        scaled = logits * inverse
        top = scaled.max(axis=1)
        spread = np.log(np.exp(scaled - top[:, None]).sum(axis=1)) + top
        return float(np.average(spread - scaled[rows, actual], weights=weights))

    found = minimize_scalar(
        loss, bounds=(1 / HOTTEST, 1 / COLDEST), method="bounded", options={"xatol": 1e-6}
    )
    return float(1 / found.x)


def tempered(probabilities: Floats, temperature: float) -> Floats:
    """What the probabilities become once the logits are divided by `temperature`."""
    scaled = _logits(probabilities) / temperature
    shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    return np.asarray(shares / shares.sum(axis=1, keepdims=True))


def calibrated(head: Head, temperature: float) -> Head:
    """The head with its temperature folded in: still one affine layer.

    Raises:
        ModelError: the temperature is not positive.
    """
    if not temperature > 0:
        raise ModelError(f"a temperature must be positive, not {temperature}")
    return replace(head, coef=head.coef / temperature, intercept=head.intercept / temperature)


def negative_log_likelihood(
    probabilities: Floats, actual: Ints, weights: Floats | None = None
) -> float:
    """Mean of −log P(actual class), in nats."""
    given = probabilities[np.arange(len(actual)), actual]
    return float(np.average(-np.log(np.maximum(given, _SMALLEST)), weights=weights))


def expected_calibration_error(
    probabilities: Floats, actual: Ints, bins: int = BINS, weights: Floats | None = None
) -> float:
    """Mean distance of confidence and accuracy over bins of equal width, weighted by their sizes.

    Guo et al., equation 3; the confidence is that of the first choice.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == actual
    place = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    counted = np.ones(len(actual)) if weights is None else weights
    gaps = np.bincount(place, weights=counted * (right - confidence), minlength=bins)
    return float(np.abs(gaps).sum() / counted.sum())


def cross_fitted(
    probabilities: Floats,
    actual: Ints,
    parts: Ints | None = None,
    weights: Floats | None = None,
) -> Floats:
    """What `tempered` makes of them, each fifth of the parts by the temperature of the other four.

    So no picture has a say in the temperature that it is judged by.
    """
    scaled = np.empty_like(probabilities)
    fifth = (np.arange(len(actual)) if parts is None else parts) % _PARTS
    for number in range(_PARTS):
        held = fifth == number
        others = ~held if not held.all() else held
        if held.any():
            counted = None if weights is None else weights[others]
            temperature = fit_temperature(probabilities[others], actual[others], counted)
            scaled[held] = tempered(probabilities[held], temperature)
    return scaled


def _logits(probabilities: Floats) -> Floats:
    """Up to a constant a row, which no softmax sees."""
    return np.asarray(np.log(np.maximum(probabilities, _LEAST)))
