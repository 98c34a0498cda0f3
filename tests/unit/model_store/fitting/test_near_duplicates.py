"""Pictures that are one picture twice are one part; parts that look alike stay two."""

from __future__ import annotations

import time

import numpy as np

from model_store.fitting.near_duplicates import SAME, with_duplicates


def pictures(count: int) -> np.ndarray:
    """Different parts of one product: far from 0, close to each other."""
    rng = np.random.default_rng(3)
    return 5 + rng.normal(size=(count, 40))


def test_a_picture_sent_twice_is_one_part() -> None:
    features = pictures(8)
    features[5] = features[1] + 0.005
    features[7] = features[5] + 0.005  # joined with 1 by 5
    ids = list("abcdefgh")
    assert with_duplicates(ids, ids, ["a"] * len(ids), features) == [
        "a",
        "b",
        "c",
        "d",
        "e",
        "b",
        "g",
        "b",
    ]


def test_serial_numbers_stand_above_looks() -> None:
    """Two serials with equal pictures are two parts; a picture without one joins the first."""
    features = pictures(6)
    features[1] = features[0]
    features[2] = features[0]
    parts = ["S-1", "S-2", "S-3", "d", "S-2", "f"]
    assert with_duplicates("abcdef", parts, ["a"] * 6, features) == parts
    features[3] = features[1]
    joined = with_duplicates("abcdef", parts, ["a"] * 6, features)
    assert joined[3] == "S-1"
    assert joined[5] == "f"


def test_the_border_is_on_the_cosine_of_what_differs_from_the_mean() -> None:
    """Without the mean taken off all of them would be one."""
    ids = [str(number) for number in range(30)]
    features = pictures(30)
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    assert (unit @ unit.T).min() > 0.9
    assert with_duplicates(ids, ids, ["a"] * len(ids), features) == ids
    centred = features - features.mean(axis=0)
    moved = features.copy()
    away = np.linalg.norm(centred[3]) / np.linalg.norm(centred[4]) * centred[4]
    for share, expected in ((0.03, "3"), (0.12, "9")):
        moved[9] = features[3] + share * away
        found = with_duplicates(ids, ids, ["a"] * 30, moved)
        assert found[9] == expected
    assert with_duplicates(ids, ids, ["a"] * 30, moved, same=0.9)[9] == "3"
    assert SAME == 0.998


def test_nothing_to_compare_is_no_error() -> None:
    assert with_duplicates(["a"], ["a"], ["x"], np.ones((1, 3))) == ["a"]
    assert with_duplicates([], [], [], np.empty((0, 3))) == []
    assert with_duplicates("ab", ["S", "S"], ["x", "x"], np.full((2, 3), np.nan)) == ["S", "S"]


def test_classes_that_lie_far_apart_are_not_one_picture_each() -> None:
    """Less the mean of all, the pictures of one class would hardly differ."""
    features = pictures(12)
    features[6:, 0] += 2000
    ids, labels = list("abcdefghijkl"), ["a"] * 6 + ["b"] * 6
    centred = features - features.mean(axis=0)
    unit = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    assert (unit[:6] @ unit[:6].T).min() > SAME
    assert with_duplicates(ids, ids, labels, features) == ids


def test_equal_features_are_one_picture_also_where_a_class_has_no_other() -> None:
    features = pictures(6)
    features[1] = features[2] = features[0]
    features[5] = features[3]
    ids, labels = list("abcdef"), ["x", "x", "x", "y", "y", "z"]
    assert with_duplicates(ids, ids, labels, features) == ["a", "a", "a", "d", "e", "d"]


def test_thousands_of_pictures_of_one_part_take_no_pair_of_them_each() -> None:
    """A camera that stood before one part: all pairs of these pictures were looked at in turn."""
    rng = np.random.default_rng(0)
    features = np.repeat([[1.0, 0, 0], [0, 1, 0]], 2000, axis=0) + rng.normal(size=(4000, 3)) / 1e6
    ids = [str(number) for number in range(4000)]
    began = time.thread_time()
    found = with_duplicates(ids, ids, ["good"] * 4000, features)
    assert time.thread_time() - began < 4
    assert found == ["0"] * 2000 + ["2000"] * 2000
