"""Shared folds are those of cross-validation, and judging in numpy is judging on the device."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from threadpoolctl import ThreadpoolController

from linewatch.errors import ModelError, TrainingError
from model_store.heads.blas import one_blas_thread
from model_store.heads.fit import fit_head
from model_store.heads.head import Head, probabilities
from model_store.manifest import ManifestDraft
from model_store.serving.apply import AffineHead
from model_store.serving.rejudge import rejudge, vectors_of
from model_store.store import ModelStore
from model_store.validation.crossval import cross_validate
from model_store.validation.folds import UNTESTED, assign_folds, out_of_fold
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


def views(counts: dict[str, int], a_part: int, **how: float) -> tuple[np.ndarray, list[str], list]:
    """Pictures of parts, `a_part` of each: a part's pictures lie close to each other."""
    features, labels = blobs(counts, **how)
    rng = np.random.default_rng(1)
    rows = np.repeat(np.arange(len(labels)), a_part)
    near = features[rows] + 0.01 * rng.normal(size=(len(rows), features.shape[1]))
    order = rng.permutation(len(rows))
    return near[order], [labels[row] for row in rows[order]], [f"part {row}" for row in rows[order]]


def test_a_part_is_never_asked_of_a_model_that_knows_it() -> None:
    features, labels, groups = views({"a": 9, "b": 7, "c": 5, "rare": 2}, 3)
    folds = assign_folds(labels, 3, 42, groups)
    for part in set(groups):
        assert len({fold for fold, name in zip(folds, groups, strict=True) if name == part}) == 1
    assert (folds == UNTESTED).tolist() == [label == "rare" for label in labels]  # 6 pictures
    for fold in range(3):
        shown = {label for label, mine in zip(labels, folds == fold, strict=True) if mine}
        assert shown == {"a", "b", "c"}
    result = cross_validate(features, labels, groups=groups)
    np.testing.assert_array_equal(result.tested, folds != UNTESTED)
    assert len(set(result.parts.tolist())) == 23
    shares = out_of_fold(fit_head, features, labels, folds, result.classes, groups)
    np.testing.assert_allclose(shares, result.probabilities, atol=1e-9)


def test_pictures_of_one_part_promise_nothing_to_each_other() -> None:
    """Noise alone is told by chance; folds that part a part's pictures call it knowledge."""
    features, labels, groups = views({"a": 30, "b": 30}, 3, dim=200, spread=50)
    assert cross_validate(features, labels).accuracy > 0.75
    assert cross_validate(features, labels, groups=groups).accuracy < 0.6


def test_parts_of_one_picture_each_are_the_seeds_folds() -> None:
    features, labels = blobs({"a": 12, "b": 9, "rare": 2}, spread=1.5)
    names = [f"serial {number}" for number in range(len(labels))]
    np.testing.assert_array_equal(
        assign_folds(labels, 3, 42), assign_folds(labels, 3, 42, groups=names)
    )
    plain, named = cross_validate(features, labels), cross_validate(features, labels, groups=names)
    np.testing.assert_array_equal(plain.probabilities, named.probabilities)


def test_a_rare_picture_of_a_tested_part_is_not_learned_from_in_its_fold() -> None:
    """One part shows an ordinary class and a rare one: no model that judges it saw it."""
    labels = ["a"] * 6 + ["b"] * 6 + ["rare", "rare"]
    groups = [*range(12), 0, 99]
    folds = assign_folds(labels, 3, 42, groups)
    asked: list[set[int]] = []

    def fit(vectors: np.ndarray, told: Sequence[str], parts: np.ndarray) -> Head:
        asked.append({int(row) for row in vectors[:, 0]})
        return fit_head(vectors, told)

    rows = np.arange(14.0)[:, None]
    out_of_fold(fit, rows, labels, folds, ("a", "b", "rare"), groups)
    assert [12 in rows for rows in asked] == [fold != folds[0] for fold in range(3)]
    assert all(13 in rows for rows in asked)
    assert cross_validate(rows, labels, groups=groups).predictions[12] == ""


def test_one_part_alone_can_test_nothing_and_says_so() -> None:
    features, labels = blobs({"a": 9, "b": 9})
    with pytest.raises(TrainingError, match="3 folds need 3 parts of a class; label 2 more of a"):
        cross_validate(features, labels, groups=["lot 7"] * 18)
    with pytest.raises(TrainingError, match="2 parts are named for 18 pictures"):
        cross_validate(features, labels, groups=["x", "y"])


def test_a_class_of_a_single_tested_part_is_not_known_to_the_model_that_judges_it() -> None:
    features, labels = blobs({"a": 9, "b": 9, "rare": 1}, spread=0.1)
    groups = [0 if label == "rare" else row + 1 for row, label in enumerate(labels)]
    groups[labels.index("b")] = 0
    result = cross_validate(features, labels, groups=groups)
    unknowing = result.probabilities[labels.index("b")]
    assert unknowing[2] == 0
    assert unknowing.sum() == pytest.approx(1)
    assert (result.probabilities[result.tested][:, 2] == 0).sum() == 6  # of its fold


def test_a_fit_uses_one_blas_thread_and_gives_the_others_back() -> None:
    blas = ThreadpoolController().select(user_api="blas")

    def threads() -> set[int]:
        return {int(one["num_threads"]) for one in blas.info()}

    with blas.limit(limits=2):
        before = threads()
        with one_blas_thread():
            with one_blas_thread():
                assert threads() == {1}
            assert threads() == {1}
        assert threads() == before


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
        "import sys, training.comparison.gate, training.retraining\n"
        "import linewatch.commands.replay, db.inspections.replay\n"
        "assert 'torch' not in sys.modules, 'torch was loaded'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
