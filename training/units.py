"""What splits keep together: parts, or whole lots where the plant asks for it."""

from __future__ import annotations

from collections.abc import Sequence

from db.labels.picture_parts import Unit
from linewatch.errors import TrainingError
from model_store.folds import part_numbers, parts_a_class


def check_units(labels: Sequence[str], groups: Sequence[str], folds: int, by: Unit) -> None:
    """Refuse labels that whole lots cannot be split by.

    Raises:
        TrainingError: no class has labels of as many lots as there are folds; of as many parts,
            `cross_validate` says itself.
    """
    counts = parts_a_class(labels, part_numbers(groups, len(labels)))
    if by == "lot" and max(counts.values()) < folds:
        has = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise TrainingError(
            f"{folds} folds by lot need labels from {folds} lots of a class, and there are those "
            f"of: {has}; label parts of other lots, or split by part (LINEWATCH_GROUP_BY=part)"
        )
