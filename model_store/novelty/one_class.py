"""Unlike good: how far a part lies from the good parts alone, and from where on it may not pass.

The measure is that of `model_store.novelty.novelty` with one centre, fitted on good parts; its
border comes from good parts' own distances, each as if its part had been left out. Known defects
have no say in it: classes that scatter widely would move the border out to where no unknown defect
lies.

It bars the way to `pass` and nothing else: a part that is called a defect is unlike good by nature.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from linewatch.errors import ModelError
from model_store.heads.blas import one_blas_thread
from model_store.novelty.novelty import Novelty, fit_novelty, novelty_border
from model_store.validation.folds import Numbers, part_numbers
from quality.arrays import Floats

LEAST_PARTS = 10  # good ones; with fewer the border says next to nothing
_COVERAGE = 0.9


class UnlikeGood(BaseModel):
    """What manifests say of the rules that bar parts unlike the good ones from passing.

    How many good parts a border turns away is itself uncertain: of a border that lies between the
    order statistics of n parts it follows a Beta distribution, whatever theirs is.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    parts: int = Field(ge=1, description="Good parts that the borders were drawn from.")
    rate: float = Field(gt=0, lt=1, description="Share of good parts that may be turned away.")
    rate_low: float = Field(ge=0, le=1, description="The share lies above it with 95 %.")
    rate_high: float = Field(ge=0, le=1, description="The share lies below it with 95 %.")

    def words(self) -> str:
        """For people."""
        return (
            f"about {self.rate:.1%} of good parts will be called unlike good; with borders drawn "
            f"from {self.parts} good parts the true share lies between {self.rate_low:.1%} and "
            f"{self.rate_high:.1%} nine times in ten"
        )


@dataclass(frozen=True, slots=True, eq=False)
class OneClass:
    """The measure, its border, and what each good picture's distance was without its part.

    Attributes:
        measure: with one centre.
        border: the distance above which no part passes.
        cost: what it does to good parts to come.
        left_out: float64 [n], of the good pictures in their order.
    """

    measure: Novelty
    border: float
    cost: UnlikeGood
    left_out: Floats


def fit_one_class(features: npt.ArrayLike, rate: float, parts: Numbers | None = None) -> OneClass:
    """Fit on good parts.

    Args:
        features: float [n, d], of good pictures.
        rate: the share of good parts that may lie beyond the border, in (0, 1). A part of several
            pictures lies where its farthest one does.
        parts: int64 [n], the number of the part that each picture shows; None: all different.

    Raises:
        ModelError: there are fewer than ten parts.
        TrainingError: the features cannot be used.
    """
    matrix = np.asarray(features, np.float64)
    numbers = part_numbers(None if parts is None else parts.tolist(), len(matrix))
    count = int(numbers.max(initial=-1)) + 1
    if count < LEAST_PARTS:
        raise ModelError(
            f"{count} good parts do not show how far apart good ones lie ({LEAST_PARTS} do)"
        )
    with one_blas_thread():
        measure, left_out = fit_novelty(matrix, ["good"] * len(matrix), parts=numbers)
    farthest = worst_views(left_out, numbers)
    return OneClass(measure, novelty_border(farthest, rate), turned_away(count, rate), left_out)


def turned_away(parts: int, rate: float) -> UnlikeGood:
    """What a border of `rate`, drawn from so many parts, will do to good parts to come.

    The border is the ⌈(1 − rate)(n + 1)⌉-th smallest of n distances; the share that lies beyond
    it is Beta(n + 1 − k, k) distributed (Vovk, "Conditional Validity of Inductive Conformal
    Predictors", ACML 2012). With fewer than 1/rate parts the border lies beyond them all, and the
    figures are those of the farthest, which are a little too large.
    """
    from scipy.stats import beta

    k = min(int(np.ceil((1 - rate) * (parts + 1))), parts)
    low, high = beta.ppf([(1 - _COVERAGE) / 2, (1 + _COVERAGE) / 2], parts + 1 - k, k)
    return UnlikeGood(parts=parts, rate=rate, rate_low=float(low), rate_high=float(high))


def worst_views(values: Floats, parts: Numbers) -> Floats:
    """Each part's largest value: float64 [parts], from [n] and the part of each."""
    found = np.full(int(parts.max(initial=-1)) + 1, -np.inf)
    np.maximum.at(found, parts, values)
    return found
