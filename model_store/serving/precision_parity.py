"""How a model judges the same pictures by features of two precisions. Pure."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from model_store.serving.rejudge import rejudge
from model_store.store import StoredModel
from producer.contract import Verdict

LEAST_PICTURES = 30
LEAST_SAME_CLASS = 0.995  # with fewer than 200 pictures, no one may change
LARGEST_REVIEW_SHIFT = 0.01
MOST_NEWLY_PASSED = 0.01  # that others are stopped instead makes no escape good

Vectors = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class PrecisionParity:
    """What was measured.

    Attributes:
        pictures: how many were judged both ways.
        same_class: the share whose first choice of class is the same.
        review_shift: the share sent to a person by the other precision, less that by the model's.
        least_cosine: the smallest cosine of a picture's two feature vectors.
        newly_passed: the share that passes by the other precision, and does not by the model's.
    """

    pictures: int
    same_class: float
    review_shift: float
    least_cosine: float
    newly_passed: float = 0.0

    @property
    def holds(self) -> bool:
        """Whether the model may serve on the other precision."""
        return (
            self.pictures >= LEAST_PICTURES
            and self.same_class >= LEAST_SAME_CLASS
            and abs(self.review_shift) <= LARGEST_REVIEW_SHIFT
            and self.newly_passed <= MOST_NEWLY_PASSED
        )


def measure_parity(model: StoredModel, own: Vectors, other: Vectors) -> PrecisionParity:
    """Compare the model's judgements.

    Args:
        model: judges both.
        own: float64 [n, d], features of the precision that it was fitted on.
        other: float64 [n, d], those of another, of the same pictures. A vector that is not finite
            counts as another class and as a review.
    """
    if not len(own):
        return PrecisionParity(0, 0.0, 0.0, 0.0)
    first, before = _judged(model, own)
    second, now = _judged(model, other)
    products = (own * other).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        cosines = products / np.linalg.norm(own, axis=1) / np.linalg.norm(other, axis=1)
    return PrecisionParity(
        pictures=len(own),
        same_class=float(np.mean((first == second) & (first >= 0))),
        review_shift=_share(now, Verdict.REVIEW) - _share(before, Verdict.REVIEW),
        least_cosine=float(np.nan_to_num(cosines, nan=-1.0).min()),
        newly_passed=float(
            np.mean([new is Verdict.PASS is not old for old, new in zip(before, now, strict=True)])
        ),
    )


def _judged(model: StoredModel, vectors: Vectors) -> tuple[npt.NDArray[np.int64], list[Verdict]]:
    """The first choice (−1 where there is none), and the verdict."""
    predicted = rejudge(model, vectors)
    finite = np.isfinite(predicted.probabilities).all(axis=1)
    verdicts = [judgement.verdict for judgement in predicted.judgements]
    best = np.nan_to_num(predicted.probabilities).argmax(axis=1)
    return np.where(finite, best, -1), verdicts


def _share(verdicts: list[Verdict], of: Verdict) -> float:
    return verdicts.count(of) / len(verdicts)
