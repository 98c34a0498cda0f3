from __future__ import annotations

import numpy as np
import pytest

from model_store.verdicts.conformal import least_probabilities

CLASSES = ("bent", "cut", "good")


def data(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    actual = rng.integers(0, 3, size=n)
    logits = rng.normal(size=(n, 3)) + 1.5 * np.eye(3)[actual]
    return np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True), actual


@pytest.mark.parametrize(
    "alpha", [0.05, 0.1, 0.24]
)  # where alpha (n + 1) is whole, crepes adds one
def test_the_sets_are_those_of_crepes(alpha: float) -> None:
    crepes = pytest.importorskip("crepes")
    shares, actual = data(240, 0)
    least = least_probabilities(shares, actual, CLASSES, alpha=alpha)
    other = crepes.ConformalClassifier()
    own = 1 - shares[np.arange(240), actual]
    other.fit(own, bins=actual)
    fresh, _ = data(500, 1)
    ours = fresh >= np.array([least[name] for name in CLASSES])
    theirs = np.column_stack(
        [
            other.predict_set(
                1 - fresh[:, [c]], bins=np.full(500, c), confidence=1 - alpha, smoothing=False
            )[:, 0]
            for c in range(3)
        ]
    ).astype(bool)
    np.testing.assert_array_equal(ours, theirs)
    assert 0 < ours.mean() < 1


def test_every_class_keeps_its_promise() -> None:
    alpha, kept = 0.1, []
    for seed in range(60):
        least = least_probabilities(*data(90, seed), CLASSES, alpha=alpha)
        fresh, actual = data(300, 1000 + seed)
        inside = fresh[np.arange(300), actual] >= np.array([least[CLASSES[c]] for c in actual])
        kept.append([inside[actual == c].mean() for c in range(3)])
    coverage = np.mean(kept, axis=0)
    assert (coverage > 0.885).all()
    assert (coverage < 0.95).all()  # and the sets are not simply everything


def test_a_class_with_too_few_pictures_is_promised_nothing() -> None:
    shares = np.tile([0.2, 0.3, 0.5], (13, 1))
    actual = np.array([0] * 9 + [1] * 4)
    assert least_probabilities(shares, actual, CLASSES, alpha=0.1) == {"bent": 0.2}
    assert least_probabilities(shares, actual, CLASSES, alpha=0.2) == {"bent": 0.2, "cut": 0.3}
