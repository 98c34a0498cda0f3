"""What splits keep together: parts, or whole lots where the plant asks for it."""

from __future__ import annotations

from typing import Literal

from linewatch.errors import TrainingError
from model_store.fitting.labelled_pictures import LabelledPictures
from model_store.validation.folds import parts_a_class


def check_units(pictures: LabelledPictures, folds: int, by: Literal["part", "lot"]) -> None:
    """Refuse labels that whole lots cannot be split by.

    Raises:
        TrainingError: no class has labels of as many lots as there are folds; of as many parts,
            `cross_validate` says itself.
    """
    counts = parts_a_class(pictures.labels, pictures.parts)
    if by == "lot" and max(counts.values()) < folds:
        has = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise TrainingError(
            f"{folds} folds by lot need labels from {folds} lots of a class, and there are those "
            f"of: {has}; label parts of other lots, or split by part (LINEWATCH_GROUP_BY=part)"
        )
