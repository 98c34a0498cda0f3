from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from linewatch.errors import ModelError
from model_store import novelty
from model_store.apply import NoveltyMeter
from model_store.novelty import fit_novelty, novelty_border


def classes(n: int, dim: int = 30, k: int = 4, seed: int = 0) -> tuple[np.ndarray, list[str]]:
    rng = np.random.default_rng(seed)
    mixing = np.random.default_rng(99).normal(size=(dim, dim)) / 6 + np.eye(dim)
    centres = np.random.default_rng(98).normal(size=(k, dim)) * 2
    place = np.arange(n) % k
    return centres[place] + rng.normal(size=(n, dim)) @ mixing, [f"c{i}" for i in place]


def test_leaving_one_out_in_closed_form_is_leaving_one_out() -> None:
    features, labels = classes(60)
    names = np.array(labels)
    _, closed = fit_novelty(features, labels)
    place = np.searchsorted(np.unique(names), names)
    means = np.stack([features[names == c].mean(0) for c in np.unique(names)])
    residuals = features - means[place]
    covariance, lam = novelty._shrunk(residuals)
    sphere = covariance - (1 - lam) * residuals.T @ residuals / 60
    for i in (0, 17, 59):
        keep = np.arange(60) != i
        without = np.stack([features[keep & (names == c)].mean(0) for c in np.unique(names)])
        rest = features[keep] - without[place[keep]]
        inverse = np.linalg.inv((1 - lam) * rest.T @ rest / 60 + sphere)
        gaps = features[i] - without
        expected = np.einsum("kd,de,ke->k", gaps, inverse, gaps).min() / 30
        assert closed[i] == pytest.approx(expected, rel=1e-9)


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


def test_the_device_measures_the_same() -> None:
    features, labels = classes(200)
    measure, _ = fit_novelty(features, labels)
    meter = NoveltyMeter(measure)
    got = meter(torch.from_numpy(features.astype(np.float32)))
    assert got.dtype == torch.float32
    np.testing.assert_allclose(got.numpy(), measure.distances(features), rtol=1e-4)


def test_identical_pictures_break_nothing() -> None:
    measure, left_out = fit_novelty(np.ones((6, 4)), ["a", "b"] * 3)
    assert np.isfinite(measure.distances(np.ones((1, 4)))).all()
    assert np.isfinite(left_out).all()


def test_a_measure_is_checked() -> None:
    measure, _ = fit_novelty(*classes(40))
    for wrong in (
        {"whitening": measure.whitening[:-1]},
        {"centres": measure.centres[:, :-1]},
        {"centres": measure.centres.astype(np.float64)},
        {"whitening": np.full_like(measure.whitening, np.nan)},
    ):
        with pytest.raises(ModelError):
            replace(measure, **wrong)  # type: ignore[arg-type]
