"""Prompts help rare classes only, and only as far as held-out pictures say so."""

from __future__ import annotations

import numpy as np
import pytest

from model_store.heads.fit import fit_head
from model_store.heads.head import probabilities
from model_store.heads.rare_prompts import helped_by_prompts
from model_store.validation.folds import part_numbers

D = 30
NAMES = ("cut", "good", "rare")


def directions(seed: int = 0) -> dict[str, np.ndarray]:
    rows = np.random.default_rng(seed).normal(size=(len(NAMES), D))
    return dict(zip(NAMES, rows / np.linalg.norm(rows, axis=1, keepdims=True), strict=True))


def pictures(
    counts: dict[str, int], truth: dict[str, np.ndarray], seed: int
) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    labels = [name for name in NAMES for _ in range(counts.get(name, 0))]
    rows = np.stack([truth[name] for name in labels]) + 0.25 * rng.normal(size=(len(labels), D))
    return rows / np.linalg.norm(rows, axis=1, keepdims=True), labels


def recall(head: object, rows: np.ndarray) -> float:
    shares = probabilities(head, rows)  # type: ignore[arg-type]
    return float(np.mean(shares.argmax(axis=1) == NAMES.index("rare")))


COUNTS = {"cut": 30, "good": 30, "rare": 2}


def test_true_words_help_a_class_of_two_pictures() -> None:
    truth = directions()
    rows, labels = pictures(COUNTS, truth, 1)
    unseen, _ = pictures({"rare": 60}, truth, 2)
    parts = part_numbers(None, len(labels))
    plain = fit_head(rows, labels, parts)
    helped = helped_by_prompts(fit_head, truth, ["rare"])(rows, labels, parts)
    assert recall(helped, unseen) > recall(plain, unseen) + 0.1
    others, names = pictures({"cut": 60, "good": 60}, truth, 3)
    right = np.asarray([helped.classes[i] for i in probabilities(helped, others).argmax(axis=1)])
    assert (right == np.asarray(names)).mean() > 0.95


def test_words_that_mislead_cost_little() -> None:
    truth = directions()
    wrong = {**directions(7), "rare": truth["good"]}
    rows, labels = pictures(COUNTS, truth, 1)
    parts = part_numbers(None, len(labels))
    plain = fit_head(rows, labels, parts)
    helped = helped_by_prompts(fit_head, wrong, ["rare"])(rows, labels, parts)
    unseen, names = pictures({"cut": 60, "good": 60, "rare": 60}, truth, 2)
    right = [
        (probabilities(head, unseen).argmax(axis=1) == [NAMES.index(n) for n in names]).mean()
        for head in (plain, helped)
    ]
    assert right[1] >= right[0] - 0.03


@pytest.mark.parametrize("rare", [[], ["unheard-of"]])
def test_where_no_class_is_rare_nothing_changes(rare: list[str]) -> None:
    truth = directions()
    rows, labels = pictures(COUNTS, truth, 1)
    parts = part_numbers(None, len(labels))
    helped = helped_by_prompts(fit_head, truth, rare)(rows, labels, parts)
    assert (helped.coef == fit_head(rows, labels, parts).coef).all()


def test_a_class_of_one_picture_is_judged_by_its_words() -> None:
    truth = directions()
    rows, labels = pictures({**COUNTS, "rare": 1}, truth, 1)
    parts = part_numbers(None, len(labels))
    helped = helped_by_prompts(fit_head, truth, ["rare"])(rows, labels, parts)
    unseen, _ = pictures({"rare": 60}, truth, 2)
    assert recall(helped, unseen) > recall(fit_head(rows, labels, parts), unseen)
