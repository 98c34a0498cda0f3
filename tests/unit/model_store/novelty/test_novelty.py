from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.covariance import ledoit_wolf

from linewatch.errors import ModelError
from model_store.novelty import novelty
from model_store.novelty.low_rank import shrunk_covariance
from model_store.novelty.novelty import fit_novelty, novelty_border
from model_store.novelty.whitened import WhitenedNovelty
from model_store.serving.apply import NoveltyMeter, meter_of


def classes(n: int, dim: int = 30, k: int = 4, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(dim, dim)) / 6 + np.eye(dim)
    centres = np.random.default_rng(98).normal(size=(k, dim)) * 2
    place = np.arange(n) % k
    return centres[place] + rng.normal(size=(n, dim)) @ mixing, [f"c{i}" for i in place]


def whole_covariance(residuals: np.ndarray) -> tuple[np.ndarray, float]:
    """Ledoit and Wolf's by scikit-learn, with the floor that identical pictures need: [d, d]."""
    covariance, lam = ledoit_wolf(residuals, assume_centered=True)
    d = len(covariance)
    return covariance + (1e-6 * np.trace(covariance) / d + 1e-12) * np.eye(d), lam


def residuals_of(features: np.ndarray, names: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    means = np.stack([features[names == c].mean(0) for c in np.unique(names)])
    return features - means[np.searchsorted(np.unique(names), names)], means


def whole_measure(features: np.ndarray, labels: list[str]) -> WhitenedNovelty:
    """What version 0.1.0 fitted: one d × d matrix."""
    residuals, means = residuals_of(features, np.array(labels))
    values, vectors = np.linalg.eigh(whole_covariance(residuals)[0])
    whitening = (vectors / np.sqrt(values)) @ vectors.T
    return WhitenedNovelty(whitening.astype(np.float32), (means @ whitening.T).astype(np.float32))


@pytest.mark.parametrize("n", [24, 60])  # fewer pictures than columns, and more
def test_leaving_one_out_in_closed_form_is_leaving_one_out(n: int) -> None:
    features, labels = classes(n)
    names = np.array(labels)
    _, closed = fit_novelty(features, labels)
    residuals, _ = residuals_of(features, names)
    covariance, lam = whole_covariance(residuals)
    sphere = covariance - (1 - lam) * residuals.T @ residuals / n
    for i in (0, 17, n - 1):
        keep = np.arange(n) != i
        rest, without = residuals_of(features[keep], names[keep])
        inverse = np.linalg.inv((1 - lam) * rest.T @ rest / n + sphere)
        gaps = features[i] - without
        expected = np.einsum("kd,de,ke->k", gaps, inverse, gaps).min() / 30
        assert closed[i] == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("n", "dim"), [(40, 100), (40, 1), (300, 30), (12, 900), (900, 30)])
def test_the_measure_is_that_of_the_whole_matrix(n: int, dim: int) -> None:
    features, labels = classes(n, dim)
    measure, _ = fit_novelty(features, labels)
    fresh = np.concatenate([features, classes(50, dim, seed=3)[0], 3 * classes(9, dim)[0]])
    expected = whole_measure(features, labels).distances(fresh)
    np.testing.assert_allclose(measure.distances(fresh), expected, rtol=2e-3)


def test_what_is_given_up_stays_within_its_bounds() -> None:
    features, _ = classes(200, dim=120, k=1)
    whole = shrunk_covariance(features - features.mean(0), most=120)
    assert whole.exact
    gaps = np.concatenate(
        [features - features.mean(0), np.random.default_rng(4).normal(size=(500, 120))]
    )
    for most in (1, 20, 80):
        cut = shrunk_covariance(features - features.mean(0), most)
        assert not cut.exact
        assert cut.directions.shape == (most, 120)
        ratio = cut.squared(gaps) / whole.squared(gaps)
        assert ratio.min() >= cut.sphere / cut.rest
        assert ratio.max() <= cut.largest_given_up / cut.rest
        # and no variance is lost
        total = cut.variances.sum() + (120 - most) * cut.rest
        assert total == pytest.approx(
            whole.variances.sum() + (120 - len(whole.variances)) * whole.rest
        )


@pytest.mark.parametrize("most", [5, 20, 60])
def test_the_border_of_a_cut_measure_is_its_own(most: int) -> None:
    """A subspace chosen with a picture flatters it, so the picture is really left out."""
    dim = 150
    features, labels = classes(300, dim)
    measure, left_out = fit_novelty(features, labels, most=most)
    fresh = measure.distances(classes(3000, dim, seed=5)[0])
    assert fresh.mean() == pytest.approx(left_out.mean(), rel=0.08)
    for rate in (0.02, 0.1):
        assert (fresh > novelty_border(left_out, rate)).mean() == pytest.approx(rate, abs=0.04)


@pytest.mark.parametrize(("dim", "classes"), [(4352, 9), (896, 9), (4352, 200), (20_000, 9)])
def test_a_measure_is_small_whatever_its_features(dim: int, classes: int) -> None:
    rank = novelty.most_directions(dim, classes)
    assert rank >= (dim if dim < 1000 else 40)
    assert 4 * ((rank + classes + 1) * dim + rank + 1) <= 8_000_000


def test_full_size_features_need_no_square_matrix() -> None:
    features, labels = classes(80, dim=40)
    wide = np.tile(features, (1, 110))[:, :4352]
    tracemalloc.start()
    measure, left_out = fit_novelty(wide, labels)
    meter = NoveltyMeter(measure)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 60e6  # a square matrix of float64 alone has 151 MB
    held = sum(buffer.numel() * buffer.element_size() for buffer in meter.buffers())
    assert held <= 8e6
    assert np.isfinite(left_out).all()


def test_fresh_parts_are_as_far_as_those_left_out() -> None:
    measure, left_out = fit_novelty(*classes(400))
    fresh = measure.distances(classes(4000, seed=5)[0])
    assert fresh.mean() == pytest.approx(left_out.mean(), rel=0.05)
    for rate in (0.02, 0.1):
        assert (fresh > novelty_border(left_out, rate)).mean() == pytest.approx(rate, abs=0.02)


def test_a_class_never_seen_is_far() -> None:
    features, labels = classes(400, k=5)
    known = np.array(labels) != "c4"
    measure, left_out = fit_novelty(features[known], [x for x in labels if x != "c4"])
    border = novelty_border(left_out, 0.01)
    assert (measure.distances(features[~known]) > border).mean() > 0.9


def test_few_pictures_have_the_tail_of_what_they_show() -> None:
    scores = np.exp(np.random.default_rng(0).normal(size=40) * 0.2)
    border = novelty_border(scores, 0.001)
    assert border >= scores.max()
    assert border == pytest.approx(np.exp(0.2 * 3.09), rel=0.25)
    assert novelty_border(np.ones(5), 0.01) == pytest.approx(1.0)
    with pytest.raises(ModelError, match="2 pictures do not show"):
        novelty_border(np.array([1.0, 2.0, np.nan]), 0.01)


def test_the_only_picture_of_a_class_lies_nowhere() -> None:
    features, labels = classes(41)
    labels[40] = "alone"
    _, left_out = fit_novelty(features, labels)
    assert np.isnan(left_out).tolist() == [False] * 40 + [True]


@pytest.mark.parametrize("most", [None, 7])
def test_the_device_measures_the_same(most: int | None) -> None:
    features, labels = classes(200)
    for measure in (fit_novelty(features, labels, most=most)[0], whole_measure(features, labels)):
        got = meter_of(measure)(torch.from_numpy(features.astype(np.float32)))
        assert got.dtype == torch.float32
        np.testing.assert_allclose(got.numpy(), measure.distances(features), rtol=1e-4)


def test_float32_suffices_on_the_device_for_features_of_length_one() -> None:
    """Where all but a thousandth of the variance lies in few directions, and the middle far off.

    What float32 changes must be little beside what the float16 of stored features does.
    """
    rng = np.random.default_rng(0)
    scales = np.where(np.arange(600) < 5, 1.0, 0.003)
    raw = 10 + rng.normal(size=(400, 600)) * scales
    features = raw / np.linalg.norm(raw, axis=1, keepdims=True)
    measure, _ = fit_novelty(features, ["a", "b"] * 200, most=100)
    there = features.astype(np.float32)
    got = meter_of(measure)(torch.from_numpy(there)).numpy()
    right, rounded = (measure.distances(x) for x in (there, features.astype(np.float16)))
    np.testing.assert_allclose(got, right, rtol=1e-2)
    assert np.abs(got - right).mean() < np.abs(rounded - right).mean() / 10


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_feature_that_is_not_finite_has_no_distance(bad: float) -> None:
    features, labels = classes(40)
    measure, _ = fit_novelty(features, labels)
    one = features[:2].astype(np.float32)
    one[0, 3] = bad
    with np.errstate(invalid="ignore"):
        there = measure.distances(one)
    on_device = meter_of(measure)(torch.from_numpy(one)).numpy()
    for distances in (there, on_device):
        assert np.isfinite(distances).tolist() == [False, True]


def test_identical_pictures_break_nothing() -> None:
    measure, left_out = fit_novelty(np.ones((6, 4)), ["a", "b"] * 3)
    assert np.isfinite(measure.distances(np.ones((1, 4)))).all()
    assert meter_of(measure)(torch.ones((1, 4))).isfinite().all()
    assert np.isfinite(left_out).all()


def test_a_measure_is_checked() -> None:
    measure, _ = fit_novelty(*classes(40))
    for wrong in (
        {"directions": measure.directions[:-1]},
        {"directions": measure.directions[:, :-1]},
        {"middle": measure.middle[None]},
        {"variances": -measure.variances},
        {"centres": measure.centres[:, :-1]},
        {"centres": measure.centres.astype(np.float64)},
        {"middle": np.full_like(measure.middle, np.nan)},
    ):
        with pytest.raises(ModelError):
            replace(measure, **wrong)  # type: ignore[arg-type]
    old = whole_measure(*classes(40))
    for wrong in ({"whitening": old.whitening[:-1]}, {"centres": old.centres[:, :-1]}):
        with pytest.raises(ModelError):
            replace(old, **wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("most", [None, 8])
def test_a_part_is_left_out_with_all_its_pictures(most: int | None) -> None:
    """Each picture twice: with its twin in the measure, it would seem to lie near."""
    features, labels = classes(24)
    twice, names = np.repeat(features, 2, axis=0), np.repeat(labels, 2).tolist()
    parts = np.repeat(np.arange(24), 2)
    _, apart = fit_novelty(twice, names, parts=parts, most=most)
    _, near = fit_novelty(twice, names, most=most)
    assert apart.mean() > 1.3 * near.mean()
    np.testing.assert_allclose(apart[::2], apart[1::2])
    turns = [labels[:row].count(label) % 10 for row, label in enumerate(labels)]
    for turn in set(turns):  # the parts of a class go out in turns, one of each class at a time
        out = np.repeat([mine == turn for mine in turns], 2)
        measure, _ = fit_novelty(twice[~out], np.asarray(names)[~out].tolist(), most=most)
        np.testing.assert_allclose(apart[out], measure.distances(twice[out]), rtol=1e-3)


def test_parts_of_one_picture_each_are_left_out_as_pictures_are() -> None:
    features, labels = classes(30)
    numbers = np.arange(30)[::-1].copy()
    for most in (None, 8):
        one = fit_novelty(features, labels, most=most)[1]
        other = fit_novelty(features, labels, most=most, parts=numbers)[1]
        np.testing.assert_array_equal(one, other)


def test_the_only_part_of_a_class_lies_nowhere() -> None:
    features, labels = classes(40)
    labels[:3] = ["rare"] * 3
    parts = np.arange(40)
    parts[:3] = 0
    _, left_out = fit_novelty(features, labels, parts=parts)
    assert np.isnan(left_out).tolist() == [True] * 3 + [False] * 37
    everything = fit_novelty(features, labels, parts=np.zeros(40, np.int64))[1]
    assert np.isnan(everything).all()


def test_a_class_of_one_picture_twice_does_not_switch_the_rule_off() -> None:
    """A camera that froze: left out, each of the two lies exactly where its class does."""
    rng = np.random.default_rng(0)
    features, labels = rng.normal(size=(60, 30)), ["good"] * 58 + ["cut"] * 2
    usual = novelty_border(fit_novelty(features, labels)[1], 0.005)
    features[59] = features[58]
    left_out = fit_novelty(features, labels)[1]
    assert left_out[58] == left_out[59] == pytest.approx(0, abs=1e-12)
    assert novelty_border(left_out, 0.005) == pytest.approx(usual, rel=0.1)
