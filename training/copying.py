"""Which copies a run learns from: those that the product's symmetry allows, if they help."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from linewatch.settings import Settings
from model_store.copies_trial import CopiesTrial, try_copies
from model_store.folds import Fit
from model_store.stored_copies import copies_among
from model_store.training_copies import Copies
from quality.arrays import Floats
from training.training_material import TrainingMaterial

log = logging.getLogger(__name__)


def copies_to_learn_from(
    material: TrainingMaterial,
    features: Floats,
    names: Sequence[str],
    groups: Sequence[str],
    *,
    fit: Fit | None,
    settings: Settings,
) -> tuple[Copies | None, CopiesTrial | None]:
    """The copies, None where they make it worse; and what was found, None where there are none.

    Args:
        material: of the run.
        features: float64 [n, d], its rows' vectors.
        names: n class names.
        groups: the rows' parts.
        fit: fits the head of a fold; None: the seed's.
        settings: folds and their random state.
    """
    if not material.copies:
        return None, None
    copies = copies_among([row.id for row in material.rows], material.copies, material.symmetry)
    if copies is None:
        return None, None
    trial = try_copies(
        features,
        names,
        copies,
        material.symmetry,
        groups=groups,
        folds=settings.folds,
        random_state=settings.random_state + 1,  # the figures' folds are others
        even_with=material.good_class,
        fit=fit,
    )
    log.info("%s: %s", material.product, trial.words())
    return (copies if trial.used else None), trial
