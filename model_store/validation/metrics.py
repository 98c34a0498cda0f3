"""How well a model did, as manifests and reports say it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field


class ClassMetrics(BaseModel):
    """One class's figures; None, and `scored` false, where it had fewer parts than folds."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    class_code: str
    precision: float | None = Field(ge=0, le=1)
    recall: float | None = Field(ge=0, le=1)
    f1: float | None = Field(ge=0, le=1)
    support: int = Field(ge=1)
    scored: bool


class Metrics(BaseModel):
    """Figures of a cross-validation. The averages leave out the classes that were not scored."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    accuracy: float = Field(ge=0, le=1)
    macro_f1: float = Field(ge=0, le=1)
    weighted_f1: float = Field(ge=0, le=1)
    folds: int = Field(ge=2)
    converged: bool
    classes: tuple[ClassMetrics, ...]

    @property
    def unscored(self) -> tuple[str, ...]:
        """Classes with fewer parts than folds: trained, never scored."""
        return tuple(row.class_code for row in self.classes if not row.scored)

    @property
    def macro_f1_with_unscored(self) -> float:
        """Macro F1 over all classes, one that could not be tested counting as 0, as in the seed.

        The seed's README averages its two rare classes in as 0.00. Beside `macro_f1` it says how
        much of a difference between two models is a matter of which classes were counted.
        """
        return sum(row.f1 or 0.0 for row in self.classes) / len(self.classes)


def metrics_of(
    confusion: npt.NDArray[np.int64], support: Mapping[str, int], *, folds: int, converged: bool
) -> Metrics:
    """The figures of a cross-validation.

    Args:
        confusion: [k, k], tested pictures by actual (row) and predicted class (column).
        support: labelled pictures a class, in the order of `confusion`.
        folds: a class with fewer parts than this was not tested, and has an empty row.
        converged: whether every fit ended by itself.
    """
    rows = [
        _class_metrics(name, index, confusion, support=count)
        for index, (name, count) in enumerate(support.items())
    ]
    scored = [(row.f1, row.support) for row in rows if row.f1 is not None]
    f1, weights = zip(*scored, strict=True)
    return Metrics(
        accuracy=float(np.trace(confusion) / confusion.sum()),
        macro_f1=float(np.mean(f1)),
        weighted_f1=float(np.average(f1, weights=weights)),
        folds=folds,
        converged=converged,
        classes=tuple(rows),
    )


def _class_metrics(
    name: str, index: int, confusion: npt.NDArray[np.int64], *, support: int
) -> ClassMetrics:
    if not confusion[index].any():
        return ClassMetrics(
            class_code=name, precision=None, recall=None, f1=None, support=support, scored=False
        )
    right, predicted = int(confusion[index, index]), int(confusion[:, index].sum())
    return ClassMetrics(
        class_code=name,
        precision=right / predicted if predicted else 0.0,  # as in the seed
        recall=right / support,
        f1=2 * right / (predicted + support),
        support=support,
        scored=True,
    )
