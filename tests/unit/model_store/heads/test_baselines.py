"""Each head ends as one affine layer and is what its definition says."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import ledoit_wolf
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import NearestCentroid
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from model_store.heads.baselines import KINDS, Kind, fit_rival
from model_store.heads.fit import fit_head
from model_store.heads.head import Head
from model_store.heads.row_space import row_space
from tests.unit.model_store.conftest import blobs

WIDE = {"dim": 300, "spread": 4.0}  # more columns than pictures, and classes that overlap
COUNTS = {"a": 14, "b": 9, "c": 5}


def logits(head: Head, features: np.ndarray) -> np.ndarray:
    weight, bias = head.affine()
    return features @ weight.T + bias


def probabilities(head: Head, features: np.ndarray) -> np.ndarray:
    shifted = np.exp(logits(head, features) - logits(head, features).max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


@pytest.mark.parametrize("dim", [6, 300])
@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_tells_classes_apart_on_unseen_pictures(kind: Kind, dim: int) -> None:
    features, labels = blobs({"a": 40, "b": 40, "c": 40}, dim=dim, spread=0.5)
    head = fit_rival(features[:60], labels[:60], kind)
    said = np.asarray(head.classes)[logits(head, features[60:]).argmax(axis=1)]
    assert (said == np.asarray(labels[60:])).mean() > 0.9
    assert head.coef.shape == (3, dim)
    assert head.converged


@pytest.mark.parametrize("counts", [COUNTS, {"a": 20, "b": 8}])
@pytest.mark.parametrize(("kind", "weight"), [("logistic", None), ("balanced", "balanced")])
def test_the_rotated_fit_is_scikit_learns(
    kind: Kind, weight: str | None, counts: dict[str, int]
) -> None:
    features, labels = blobs(counts, **WIDE)
    unseen, _ = blobs(counts, **WIDE, seed=9)
    exact = LogisticRegression(max_iter=5000, class_weight=weight, tol=1e-10)
    theirs = make_pipeline(StandardScaler(), exact).fit(features, labels)
    found = probabilities(fit_rival(features, labels, kind), unseen)
    np.testing.assert_allclose(found, theirs.predict_proba(unseen), atol=2e-3)
    if kind == "logistic":
        np.testing.assert_allclose(
            found, probabilities(fit_head(features, labels), unseen), atol=1e-2
        )


def test_lda_is_the_textbooks_with_scikit_learns_shrinkage() -> None:
    features, labels = blobs(COUNTS, **WIDE)
    names = np.asarray(labels)
    z = (features - features.mean(axis=0)) / features.std(axis=0)
    means = np.stack([z[names == k].mean(axis=0) for k in COUNTS])
    within = np.concatenate([z[names == k] - m for k, m in zip(COUNTS, means, strict=True)])
    covariance, share = ledoit_wolf(within, assume_centered=True)
    assert 0.05 < share < 0.99
    weights = np.linalg.solve(covariance, means.T).T
    priors = np.log([count / len(labels) for count in COUNTS.values()])
    expected = z @ weights.T + priors - 0.5 * (means * weights).sum(axis=1)
    found = logits(fit_rival(features, labels, "lda"), features)
    np.testing.assert_allclose(
        found - found[:, :1], expected - expected[:, :1], rtol=1e-6, atol=1e-6
    )


def test_centroid_says_what_scikit_learns_does() -> None:
    features, labels = blobs(COUNTS, dim=40, spread=2.0)
    unseen, _ = blobs(COUNTS, dim=40, spread=2.0, seed=5)
    head = fit_rival(features, labels, "centroid")
    said = np.asarray(head.classes)[logits(head, unseen).argmax(axis=1)]
    theirs = make_pipeline(StandardScaler(), NearestCentroid()).fit(features, labels)
    assert said.tolist() == theirs.predict(unseen).tolist()


def test_columns_that_never_vary_are_harmless() -> None:
    features, labels = blobs(COUNTS, dim=20)
    features[:, 3] = 7.0
    for kind in KINDS:
        assert np.isfinite(fit_rival(features, labels, kind).coef).all()
    same = row_space(np.zeros((4, 9)))
    assert same.rows.shape == (4, 1)


def test_nested_chooses_a_weaker_penalty_for_cleaner_classes() -> None:
    clean, labels = blobs(COUNTS, dim=30, spread=0.05)
    noisy, _ = blobs(COUNTS, dim=30, spread=30.0)
    kept = [np.abs(fit_rival(x, labels, "nested").coef).sum() for x in (clean, noisy)]
    assert kept[0] > kept[1]
