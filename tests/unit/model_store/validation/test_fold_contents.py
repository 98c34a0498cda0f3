"""What a fold's model is handed: its pictures, their parts and their copies, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from linewatch.errors import TrainingError
from model_store.heads.fit import fit_head
from model_store.training_copies.copies import Copies
from model_store.validation.folds import (
    UNTESTED,
    assign_folds,
    out_of_fold,
    part_numbers,
    parts_a_class,
)
from tests.unit.model_store.conftest import blobs


def test_a_fold_s_model_learns_from_the_copies_of_its_own_pictures_alone() -> None:
    features, labels = blobs({"a": 6, "b": 6})
    groups = [f"part {row // 2}" for row in range(len(labels))]
    folds = assign_folds(labels, 3, 42, groups)
    copies = Copies(features + 1000, np.arange(len(labels)))
    handed: list[tuple[Any, ...]] = []

    def fit(vectors: Any, names: Any, parts: Any, **more: Any) -> Any:
        handed.append((vectors, names, parts, more["copies"]))
        return fit_head(vectors, names)

    out_of_fold(fit, features, labels, folds, ("a", "b"), groups, copies)
    for fold, (vectors, names, parts, mine) in enumerate(handed):
        rows = np.flatnonzero(folds != fold)
        np.testing.assert_array_equal(vectors, features[rows])
        assert names == [labels[row] for row in rows]
        np.testing.assert_array_equal(parts, part_numbers(groups, len(labels))[rows])
        np.testing.assert_array_equal(mine.vectors, copies.vectors[rows])
        np.testing.assert_array_equal(mine.of, np.arange(len(rows)))
    assert len(handed) == 3


def test_a_class_with_just_as_many_parts_as_folds_is_tested() -> None:
    labels = ["a"] * 3 + ["b"] * 3 + ["c"] * 2
    folds = assign_folds(labels, 3, 42)
    assert (folds == UNTESTED).tolist() == [False] * 6 + [True] * 2
    assert folds.dtype == np.int64
    assert assign_folds(["a"], 3, 42).dtype == np.int64


@pytest.mark.parametrize("folds", [2, 3, 4])
def test_parts_of_several_pictures_are_split_as_scikit_learn_splits_groups(folds: int) -> None:
    groups = [row // 2 for row in range(48)]
    labels = ["ab"[part % 2] for part in groups]
    assigned = assign_folds(labels, folds, 7, groups)
    splits = StratifiedGroupKFold(folds, shuffle=True, random_state=7).split(groups, labels, groups)
    for number, (_, test) in enumerate(splits):
        np.testing.assert_array_equal(np.flatnonzero(assigned == number), test)


def test_parts_are_numbered_as_they_appear() -> None:
    numbers = part_numbers(["x", "y", "x", None], 4)
    assert (numbers.tolist(), numbers.dtype) == ([0, 1, 0, 2], np.int64)
    assert part_numbers(None, 2).dtype == np.int64
    with pytest.raises(TrainingError, match=r"^2 parts are named for 3 pictures; each has one$"):
        part_numbers(["x", "y"], 3)
    with pytest.raises(ValueError, match="shorter"):
        parts_a_class(["a", "b"], numbers[:1])
