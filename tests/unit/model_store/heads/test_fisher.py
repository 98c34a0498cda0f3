"""Columns count by how far the classes lie apart in them."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.feature_selection import f_classif

from linewatch.errors import TrainingError
from model_store.heads.baselines import fit_rival
from model_store.heads.fisher import column_weights, fisher_ratios
from model_store.heads.head import probabilities
from tests.unit.model_store.conftest import blobs


def ratios(rows: np.ndarray, codes: np.ndarray, units: list[float] | None = None) -> np.ndarray:
    counts = np.bincount(codes).astype(float) if units is None else np.asarray(units)
    return fisher_ratios(rows, codes, counts, np.full(len(counts), 1 / len(counts)))


def drowned(seed: int, *, columns: int = 600, per_class: int = 8) -> tuple[np.ndarray, list[str]]:
    """Three columns tell three classes apart; all others are noise."""
    rng = np.random.default_rng(seed)
    codes = np.repeat(np.arange(3), per_class)
    rows = rng.normal(size=(len(codes), columns))
    rows[np.arange(len(codes)), codes] += 4.0
    return rows, [f"class-{code}" for code in codes]


def test_the_ratio_follows_from_the_f_statistic() -> None:
    rng = np.random.default_rng(1)
    k, m = 4, 9
    codes = np.repeat(np.arange(k), m)
    rows = rng.normal(size=(k * m, 30)) + codes[:, None] * np.linspace(0, 2, 30)
    f, _ = f_classif(rows, codes)
    beyond_chance = np.maximum((k - 1) * (f - 1) / (k * m), 0)
    np.testing.assert_allclose(ratios(rows, codes), beyond_chance / (1 + beyond_chance))


def test_pictures_of_one_part_are_no_more_evidence_than_one() -> None:
    rng = np.random.default_rng(2)
    once, codes = rng.normal(size=(12, 400)), np.repeat([0, 1, 2], 4)
    often, same = np.repeat(once, 4, axis=0), np.repeat(codes, 4)
    np.testing.assert_allclose(ratios(often, same, [4.0] * 3), ratios(once, codes), atol=1e-12)
    assert ratios(often, same).mean() > 1.5 * ratios(once, codes).mean()  # four parts of each
    labels = [f"class-{code}" for code in same]
    apart = fit_rival(often, labels, "fisher")
    together = fit_rival(often, labels, "fisher", np.repeat(np.arange(12), 4))
    assert not np.allclose(apart.coef, together.coef)


def test_a_few_telling_columns_do_not_drown() -> None:
    rows, labels = drowned(3)
    unseen, answers = drowned(4, per_class=40)
    truth = np.unique(answers, return_inverse=True)[1]

    def accuracy(kind: str) -> float:
        head = fit_rival(rows, labels, kind)  # type: ignore[arg-type]
        return float((probabilities(head, unseen).argmax(axis=1) == truth).mean())

    assert accuracy("fisher") > accuracy("logistic") + 0.1


def test_twice_the_columns_are_no_weaker_penalty() -> None:
    rows, labels = blobs({"a": 14, "b": 9, "c": 5}, dim=40, spread=3.0)
    once = probabilities(fit_rival(rows, labels, "fisher"), rows)
    twice = np.hstack([rows, rows])
    np.testing.assert_allclose(
        probabilities(fit_rival(twice, labels, "fisher"), twice), once, atol=2e-3
    )


def test_where_nothing_tells_the_classes_apart_all_columns_count_alike() -> None:
    rows = np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [-1.0, 1.0]])
    codes = np.array([0, 0, 1, 1])
    assert not ratios(rows, codes).any()
    assert column_weights(rows, ratios(rows, codes)) == pytest.approx([0.5**0.5] * 2)
    assert column_weights(np.zeros((4, 2)), np.zeros(2)).tolist() == [1.0, 1.0]


def test_a_picture_a_class_is_enough_and_one_class_is_refused() -> None:
    head = fit_rival([[0.0, 1.0], [1.0, 0.0]], ["a", "b"], "fisher")
    assert np.isfinite(head.coef).all()
    with pytest.raises(TrainingError, match="class"):
        fit_rival([[0.0, 1.0], [1.0, 0.0]], ["a", "a"], "fisher")
