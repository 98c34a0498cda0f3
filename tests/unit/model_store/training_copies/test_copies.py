"""Copies are learned from with their picture, weigh nothing more, and are never judged."""

from __future__ import annotations

from uuid import UUID

import numpy as np
import pytest

from linewatch.errors import TrainingError
from model_store.heads.fit import fit_head
from model_store.heads.kinds import HEAD_KINDS, HeadKind, fit_of
from model_store.training_copies.copies import Copies, lessons
from model_store.training_copies.stored import copies_among
from model_store.training_copies.trial import CopiesTrial, try_copies
from model_store.validation.crossval import cross_validate
from model_store.validation.folds import assign_folds, out_of_fold


def of_each(features: np.ndarray, times: int = 1) -> Copies:
    """Copies that are their pictures over again."""
    rows = np.repeat(np.arange(len(features)), times)
    return Copies(features[rows], rows)


def noise(count: int = 40, dim: int = 60) -> tuple[np.ndarray, list[str]]:
    """Pictures that tell nothing of their labels: only who has seen one knows its label."""
    rows = np.random.default_rng(0).normal(size=(count, dim))  # the same in whatever order
    return rows, ["bent" if n % 2 else "good" for n in range(count)]


def test_a_judged_pictures_copies_are_not_learned_from() -> None:
    features, labels = noise()
    found = cross_validate(features, labels, copies=of_each(features, 3))
    assert found.accuracy < 0.75
    assert fit_head(features, labels, copies=of_each(features, 3)).converged
    assigned = assign_folds(labels, 3, 42)
    classes = ["bent", "good"]
    plain, copied = (
        out_of_fold(fit_head, features, labels, assigned, classes, **more)
        for more in ({}, {"copies": of_each(features, 3)})
    )
    np.testing.assert_allclose(plain, copied, atol=1e-3)


@pytest.mark.parametrize("kind", HEAD_KINDS)
def test_every_kind_of_head_learns_from_copies_and_is_not_judged_by_them(kind: HeadKind) -> None:
    features, labels = noise(30, 12)
    fit, parts = fit_of(kind, "good"), np.arange(30)
    plain = fit(features, labels, parts)
    copied = fit(features, labels, parts, copies=of_each(features[:5]))
    assert plain.classes == copied.classes
    assert (kind == "logistic") == np.allclose(plain.coef, copied.coef, atol=1e-3)
    found = cross_validate(features, labels, fit=fit, copies=of_each(features, 2))
    assert found.accuracy < 0.75


def test_neither_are_those_of_the_same_part() -> None:
    features, labels = noise(30)
    groups = [n // 2 * 2 + n % 2 for n in range(15) for _ in range(2)]
    names = [labels[group] for group in groups]
    twice = Copies(features, np.arange(30)[::-1].copy())
    shown = features.copy()
    shown[1::2] = shown[::2]
    found = cross_validate(
        shown, names, groups=groups, copies=Copies(shown, np.arange(30)), folds=3
    )
    assert found.accuracy < 0.8
    assert len(twice.of_rows(np.array([3, 0]))) == 2


def test_a_picture_and_its_copies_weigh_as_much_as_the_picture() -> None:
    features, labels = noise(20, 4)
    some = Copies(features[[0, 0, 7]], np.array([0, 0, 7]))
    plain, copied = fit_head(features, labels), fit_head(features, labels, copies=some)
    np.testing.assert_allclose(copied.coef, plain.coef, atol=1e-3)
    np.testing.assert_allclose(copied.mean, plain.mean, atol=1e-12)
    np.testing.assert_array_equal(copied.centroids, plain.centroids)
    weights = lessons(features, labels, some).weights
    assert weights is not None
    assert weights[[0, 7, 1]].tolist() == pytest.approx([1 / 3, 1 / 2, 1])
    assert weights.sum() == pytest.approx(20)


def test_without_copies_the_fit_is_the_same_to_the_last_digit() -> None:
    features, labels = noise(20, 4)
    nothing = Copies(np.empty((0, 4)), np.empty(0, np.int64))
    plain, same = fit_head(features, labels), fit_head(features, labels, copies=nothing)
    np.testing.assert_array_equal(same.coef, plain.coef)


def test_the_copies_of_some_pictures_are_of_their_new_places() -> None:
    copies = Copies(np.arange(8.0).reshape(4, 2), np.array([5, 1, 5, 9]))
    mine = copies.of_rows(np.array([9, 5, 2]))
    assert mine.of.tolist() == [1, 1, 0]
    assert mine.vectors[:, 0].tolist() == [0, 4, 6]
    assert len(copies.of_rows(np.array([], np.int64))) == 0


@pytest.mark.parametrize(
    ("vectors", "of"), [([[1.0]], [0, 1]), ([[float("nan")]], [0]), ([1.0], [0])]
)
def test_copies_that_do_not_match_are_refused(vectors: list[object], of: list[int]) -> None:
    with pytest.raises(TrainingError):
        Copies(np.array(vectors), np.array(of))


def test_copies_of_another_length_are_refused() -> None:
    features, labels = noise(20, 4)
    with pytest.raises(TrainingError, match="copies have 3 numbers"):
        fit_head(features, labels, copies=Copies(np.ones((1, 3)), np.array([0])))


def sides(count: int) -> tuple[np.ndarray, list[str], Copies]:
    """Good parts, and flaws to the left or right: a mirror turns one into the other."""
    labels = [("good", "left", "right")[n % 3] for n in range(count)]
    middle = {"good": (0, 0), "left": (-3, 2), "right": (3, 2)}
    features = np.array([middle[label] for label in labels]) + np.random.default_rng(1).normal(
        size=(count, 2)
    )
    return features, labels, Copies(features * (-1, 1), np.arange(count))


def test_a_symmetry_that_swaps_two_classes_is_found_out() -> None:
    features, labels, mirrored = sides(60)
    trial = try_copies(features, labels, mirrored, ["mirrored"], folds=3, random_state=1)
    assert not trial.used
    assert set(trial.harmed) <= {"left", "right"}
    assert trial.harmed
    assert trial.copied < trial.plain
    words = trial.words()
    assert words.startswith("not learned from 60 copies of 60 pictures (mirrored)")
    assert "such as left and right?" in words


def test_a_class_may_be_harmed_in_thousands_of_pictures() -> None:
    features, labels, mirrored = sides(9000)
    trial = try_copies(features, labels, mirrored, ["mirrored"], folds=3, random_state=1)
    assert trial.harmed


def test_copies_that_show_more_of_a_class_are_used() -> None:
    """What a mirror turns round tells nothing, and its copies say so."""
    rng, labels = np.random.default_rng(3), ["good", "bent"] * 15
    side = np.where(np.array(labels) == "good", 1.0, -1.0)[:, None]
    features = np.concatenate([side + rng.normal(size=(30, 1)), rng.normal(size=(30, 25))], 1)
    turned = np.concatenate([features[:, :1], -features[:, 1:]], 1)
    copies = Copies(turned, np.arange(30))
    trial = try_copies(features, labels, copies, ["turned 180"], folds=3, random_state=1)
    assert trial.used
    assert trial.copied > trial.plain + 0.1
    assert trial.words().startswith("learned from 30 copies of 30 pictures (turned 180): macro F1")


def test_one_class_that_suffers_is_enough() -> None:
    trial = CopiesTrial(("mirrored",), 9, 9, plain=0.5, copied=0.9, harmed=("left",))
    assert not trial.used
    assert "left suffer" in trial.words()
    worse = CopiesTrial(("mirrored",), 9, 9, plain=0.9, copied=0.8, harmed=())
    assert not worse.used
    assert worse.words().endswith("macro F1 0.800 with them, 0.900 without")
    assert CopiesTrial(("mirrored",), 9, 9, plain=0.9, copied=0.9, harmed=()).used


def test_stored_copies_are_taken_by_name() -> None:
    ids = [UUID(int=n) for n in range(3)]
    halves = {n: np.full(2, n, "<f2").tobytes() for n in range(4)}
    stored = {ids[2]: {"mirrored": halves[1], "darker": halves[2]}, ids[0]: {"darker": halves[3]}}
    copies = copies_among(ids, stored, ["mirrored"])
    assert copies is not None
    assert (copies.of.tolist(), copies.vectors.tolist()) == ([2], [[1.0, 1.0]])
    assert copies_among(ids, stored, ["brighter"]) is None
