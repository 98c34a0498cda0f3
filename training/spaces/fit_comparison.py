"""Which fit suits a product's labelled pictures: each cross-validated by part on the same folds."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

from linewatch.product_options import Fit
from model_store.validation.crossval import cross_validate
from quality.arrays import Floats

NO_DIFFERENCE = 0.01  # of macro F1: what folds drawn anew differ by on a few hundred pictures


@dataclass(frozen=True, slots=True)
class FitTrial:
    """What a fit gave.

    Attributes:
        fit: it.
        macro_f1: over the classes that were tested, by part.
        escapes: the share of defects called good; None without a good class or a defect.
        squares: that a picture takes, on average: what it costs.
    """

    fit: Fit
    macro_f1: float
    escapes: float | None
    squares: float


def tried(
    features: Mapping[Fit, Floats],
    squares: Mapping[Fit, float],
    names: Sequence[str],
    groups: Sequence[Hashable],
    *,
    good_class: str | None,
    folds: int,
    random_state: int,
) -> list[FitTrial]:
    """Cross-validate every fit, all on the same folds.

    Args:
        features: by fit, float [n, d] of the same n pictures.
        squares: by fit, how many squares a picture takes.
        names: their labels.
        groups: their parts.
        good_class: what passes.
        folds, random_state: as for training.

    Raises:
        TrainingError: there are too few labels for that.
    """
    found = []
    for fit, matrix in features.items():
        result = cross_validate(
            matrix, names, groups=groups, folds=folds, random_state=random_state
        )
        said = zip(names, result.predictions, result.tested, strict=True)
        defects = [guess for name, guess, tested in said if tested and name != good_class]
        escapes = sum(guess == good_class for guess in defects) / len(defects) if defects else None
        macro = result.macro_f1 or 0.0
        none = good_class is None
        found.append(FitTrial(fit, macro, None if none else escapes, squares[fit]))
    return found


def best(trials: Sequence[FitTrial], default: Fit) -> Fit:
    """The fit with the highest macro F1; among those hardly below it the default, or the cheapest.

    The centre crop is tried for comparison only: it is taken where a product's file asks for it.
    """
    may = [trial for trial in trials if trial.fit != "crop"]
    highest = max(trial.macro_f1 for trial in may)
    near = [trial for trial in may if trial.macro_f1 >= highest - NO_DIFFERENCE]
    return min(near, key=lambda trial: (trial.fit != default, trial.squares)).fit
