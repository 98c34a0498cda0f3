"""Shared folds are those of cross-validation, and judging in numpy is judging on the device."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from linewatch.errors import ModelError
from model_store.apply import AffineHead
from model_store.crossval import cross_validate
from model_store.fit import fit_head
from model_store.folds import UNTESTED, assign_folds, out_of_fold
from model_store.head import probabilities
from model_store.manifest import ManifestDraft
from model_store.rejudge import rejudge, vectors_of
from model_store.store import ModelStore
from producer.contract import Reason, Verdict
from tests.unit.model_store.conftest import blobs


def test_refits_on_shared_folds_are_cross_validation() -> None:
    features, labels = blobs({"a": 12, "b": 9, "c": 5, "rare": 2}, spread=1.5)
    folds = assign_folds(labels, 3, 42)
    expected = cross_validate(features, labels)
    np.testing.assert_array_equal(folds != UNTESTED, expected.tested)
    shares = out_of_fold(fit_head, features, labels, folds, expected.classes)
    np.testing.assert_allclose(shares, expected.probabilities, atol=1e-9)


def test_a_model_is_not_told_of_labels_that_came_later() -> None:
    """Its refits know only what it knew; a class that came later gets no probability."""
    features, labels = blobs({"a": 12, "b": 12, "late": 12})
    told = [None if label == "late" else label for label in labels]
    folds = assign_folds(labels, 3, 42)
    shares = out_of_fold(fit_head, features, told, folds, ("a", "b", "late"))
    assert (shares[:, 2] == 0).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1)


def test_no_class_with_enough_pictures_tests_nothing() -> None:
    assert (assign_folds(["a", "b", "a"], 3, 42) == UNTESTED).all()


def test_numpy_and_torch_agree(training_data: tuple[np.ndarray, list[str]]) -> None:
    features, labels = training_data
    head = fit_head(features, labels)
    on_device = AffineHead(head)(torch.from_numpy(features)).numpy()
    np.testing.assert_allclose(probabilities(head, features), on_device, atol=1e-6)


def test_rejudging_applies_the_stored_rules(
    training_data: tuple[np.ndarray, list[str]], make_draft: Callable[..., ManifestDraft]
) -> None:
    features, labels = training_data
    store = ModelStore("memory://rejudge")
    manifest = store.save(fit_head(features, labels), make_draft())
    model = store.load("cable", manifest.version)
    broken = features.copy()
    broken[3] = np.nan
    stored = [row.astype("<f2").tobytes() for row in broken]
    said = rejudge(model, vectors_of(stored)).judgements
    assert said[3].verdict is Verdict.REVIEW
    assert said[3].reason is Reason.NOT_FINITE
    named = [judgement.defect_class for judgement in said]
    right = sum(a == b for a, b in zip(named, labels, strict=True))
    assert right > len(labels) * 0.8
    passed = [j for j in said if j.verdict is Verdict.PASS]
    assert passed
    assert all(j.defect_class == "good" for j in passed)
    assert rejudge(model, vectors_of([])).judgements == []
    with pytest.raises(ModelError, match="features of 3 numbers"):
        rejudge(model, np.zeros((2, 3)))
    with pytest.raises(ModelError, match="differ in length"):
        vectors_of([b"abcd", b"ab"])


def test_replay_and_gate_load_no_torch() -> None:
    code = (
        "import sys, training.gate, training.retraining\n"
        "import linewatch.commands.replay, db.inspections.replay\n"
        "assert 'torch' not in sys.modules, 'torch was loaded'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
