"""Which copies a run learns from: those that the product's symmetry allows, if they help."""

from __future__ import annotations

from collections.abc import Sequence

from linewatch.settings import Settings
from model_store.fitting.labelled_pictures import LabelledPictures
from model_store.training_copies.copies import Copies
from model_store.training_copies.stored import StoredCopies, copies_among
from model_store.training_copies.trial import CopiesTrial, try_copies
from model_store.validation.folds import Fit


def copies_to_learn_from(
    pictures: LabelledPictures,
    stored: StoredCopies,
    names: Sequence[str],
    *,
    good_class: str | None,
    fit: Fit | None,
    settings: Settings,
) -> tuple[Copies | None, CopiesTrial | None]:
    """The copies, None where they make it worse; and what was found, None where there are none.

    Args:
        pictures: to learn from.
        stored: their copies that there are.
        names: of the copies that the symmetry allows.
        good_class: counts as much as all defects; or None.
        fit: fits the head of a fold; None: the seed's.
        settings: folds and their random state.
    """
    if not stored:
        return None, None
    copies = copies_among(pictures.ids, stored, names)
    if copies is None:
        return None, None
    trial = try_copies(
        pictures.features,
        pictures.labels,
        copies,
        names,
        groups=pictures.groups,
        folds=settings.folds,
        random_state=settings.random_state + 1,  # the figures' folds are others
        even_with=good_class,
        fit=fit,
    )
    return (copies if trial.used else None), trial
