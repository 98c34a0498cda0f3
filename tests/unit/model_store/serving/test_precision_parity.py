from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from model_store.heads.head import Head
from model_store.manifest import ManifestDraft
from model_store.serving.precision_parity import PrecisionParity, measure_parity
from model_store.store import ModelStore, StoredModel

EYE = np.eye(2)


@pytest.fixture
def model(make_draft: Callable[..., ManifestDraft], tmp_path: Path) -> StoredModel:
    """Two features, each a class's logit; below 0.6 a person looks."""
    head = Head(("good", "bent"), np.zeros(2), np.ones(2), EYE, np.zeros(2), EYE)
    store = ModelStore(str(tmp_path))
    manifest = store.save(head, make_draft(image_counts={"good": 3, "bent": 3}))
    return store.load("cable", manifest.version)


def vectors(*margins: float) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([[1 + margin, 1 - margin] for margin in margins])


def test_the_same_features_agree(model: StoredModel) -> None:
    own = vectors(*np.linspace(-1, 1, 40))
    found = measure_parity(model, own, own.copy())
    assert found.same_class == 1
    assert found.review_shift == 0
    assert found.least_cosine == pytest.approx(1)
    assert found.holds


def test_classes_and_reviews_are_counted(model: StoredModel) -> None:
    own = vectors(0.9, 0.9, 0.9, 0.9)  # all pass
    other = vectors(0.9, 0.9, 0.05, -0.9)  # one to a person, one of another class
    found = measure_parity(model, own, other)
    assert found.same_class == 0.75
    assert found.review_shift == 0.25
    assert 0 < found.least_cosine < 0.5


def test_what_is_not_finite_never_agrees(model: StoredModel) -> None:
    own = vectors(0.9, 0.9)
    found = measure_parity(model, own, np.array([[np.nan, 0.1], [1.9, 0.1]]))
    assert (found.same_class, found.review_shift, found.least_cosine) == (0.5, 0.5, -1.0)
    both = np.full((2, 2), np.nan)
    assert measure_parity(model, both, both).same_class == 0
    assert not measure_parity(model, own[:0], own[:0]).holds


def test_escapes_do_not_hide_behind_as_many_reviews(model: StoredModel) -> None:
    """As many as go to a person no longer, others do: the share for review stays."""
    own, other = vectors(*[0.9] * 90, *[0.05] * 10), vectors(*[0.9] * 80, *[0.05] * 10, *[0.9] * 10)
    found = measure_parity(model, own, other)
    assert (found.same_class, found.review_shift, found.newly_passed) == (1, 0, 0.1)
    assert not found.holds


@pytest.mark.parametrize(
    ("pictures", "same_class", "review_shift", "holds"),
    [
        (30, 1.0, 0.0, True),
        (29, 1.0, 0.0, False),
        (200, 0.995, 0.01, True),
        (200, 0.994, 0.0, False),
        (200, 1.0, -0.011, False),
        (200, 1.0, 0.011, False),
    ],
)
def test_the_rule(pictures: int, same_class: float, review_shift: float, holds: bool) -> None:
    assert PrecisionParity(pictures, same_class, review_shift, 0.999).holds is holds
