from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from linewatch.errors import ModelError, TrainingError
from model_store.heads.fit import fit_head
from model_store.heads.head import Head
from model_store.serving.apply import AffineHead

NAMES = [f"class-{i}" for i in range(9)]


def features_and_labels(k: int, dim: int = 40, n: int = 180) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(k)
    labels = [NAMES[i % k] for i in range(n)]
    centres = rng.normal(size=(k, dim)) * 0.4
    features = rng.normal(size=(n, dim)) + centres[[i % k for i in range(n)]]
    return features / np.linalg.norm(features, axis=1, keepdims=True), labels


@pytest.mark.parametrize("k", [2, 3, 9])
@pytest.mark.parametrize("odd", ["none", "constant", "nearly constant", "zero", "huge"])
def test_probabilities_are_scikit_learns(k: int, odd: str) -> None:
    features, labels = features_and_labels(k)
    rng = np.random.default_rng(1)
    features[:, 3] = {
        "none": features[:, 3],
        "constant": 0.5,
        "nearly constant": 0.5 + 1e-6 * rng.normal(size=len(features)),
        "zero": 0.0,
        "huge": 1e4 * rng.normal(size=len(features)),
    }[odd]
    reference = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    reference.fit(features, labels)
    head = fit_head(features, labels)
    assert list(head.classes) == reference.classes_.tolist()
    module = AffineHead(head)

    unseen = np.concatenate([features, features[::-1] * 1.1 - 0.01]).astype(np.float32)
    got = module(torch.from_numpy(unseen))
    assert got.dtype == torch.float32
    expected = reference.predict_proba(unseen.astype(np.float64))
    np.testing.assert_allclose(got.numpy(), expected, atol=1e-5)
    assert expected.max() > 0.9  # the comparison is of verdicts, not of ties


def test_the_affine_layer_is_the_scaler_and_the_regression() -> None:
    features, labels = features_and_labels(9)
    head = fit_head(features, labels)
    weight, bias = head.affine()
    logits = (features - head.mean) / head.scale @ head.coef.T + head.intercept
    np.testing.assert_allclose(features @ weight.T + bias, logits, atol=1e-10)
    assert weight.shape == (9, 40)
    assert bias.shape == (9,)


def test_centroids_are_the_classes_means() -> None:
    features, labels = features_and_labels(3)
    head = fit_head(features, labels)
    chosen = features[np.array(labels) == "class-1"]
    np.testing.assert_allclose(head.centroids[1], chosen.mean(axis=0))


def test_a_fit_that_did_not_converge_says_so(caplog: pytest.LogCaptureFixture) -> None:
    features, labels = features_and_labels(9)
    assert fit_head(features, labels).converged
    with caplog.at_level(logging.WARNING), pytest.warns(match="failed to converge"):
        assert not fit_head(features, labels, max_iter=2).converged
    assert "had not converged after 2 iterations" in caplog.text


@pytest.mark.parametrize(
    ("features", "labels", "words"),
    [
        (np.ones((3, 4)), ["a", "b"], "3 feature vectors do not match 2 labels"),
        (np.ones((3, 4)), ["a", "a", "a"], "only 'a'"),
        (np.ones((0, 4)), [], "there is none"),
        (np.ones(4), ["a", "b", "a", "b"], "their shape is"),
        (np.array([[1.0], [np.nan], [np.inf]]), ["a", "b", "a"], "2 pictures are not finite"),
    ],
)
def test_data_that_cannot_be_fitted(features: np.ndarray, labels: list[str], words: str) -> None:
    with pytest.raises(TrainingError, match=words):
        fit_head(features, labels)


def test_a_head_is_checked(head: Head) -> None:
    k, d = head.coef.shape
    for wrong in (
        {"classes": ("good",)},
        {"classes": ("good", "good", "cut")},
        {"mean": head.mean[:-1]},
        {"mean": head.mean[None]},
        {"mean": np.zeros(0)},
        {"scale": np.zeros(d)},
        {"scale": -head.scale},
        {"coef": head.coef[:-1]},
        {"coef": head.coef.T.copy()},
        {"coef": head.coef.astype(np.float32)},
        {"intercept": np.full(k, np.nan)},
        {"centroids": np.full((k, d), np.inf)},
    ):
        with pytest.raises(ModelError):
            replace(head, **wrong)  # type: ignore[arg-type]
