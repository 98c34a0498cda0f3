from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.metrics import log_loss

from linewatch.errors import ModelError
from model_store.heads.head import Head
from model_store.serving.apply import AffineHead
from model_store.verdicts.calibration import (
    calibrate,
    calibrated,
    cross_fitted,
    expected_calibration_error,
    fit_temperature,
    negative_log_likelihood,
    tempered,
)


def drawn(n: int, k: int = 4, *, sharpen: float = 1.0, seed: int = 0) -> tuple:
    """Probabilities whose classes are drawn from them; then made `sharpen` times too sure."""
    rng = np.random.default_rng(seed)
    logits = 2 * rng.normal(size=(n, k))
    honest = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    actual = np.array([rng.choice(k, p=row) for row in honest])
    return tempered(honest, 1 / sharpen), actual, honest


@pytest.mark.parametrize("sharpen", [0.4, 1.0, 3.0])
def test_the_temperature_undoes_what_was_done(sharpen: float) -> None:
    shares, actual, honest = drawn(4000, sharpen=sharpen)
    temperature = fit_temperature(shares, actual)
    assert temperature == pytest.approx(sharpen, rel=0.08)
    np.testing.assert_allclose(tempered(shares, temperature), honest, atol=0.05)


def test_no_temperature_has_a_lower_likelihood_loss() -> None:
    shares, actual, _ = drawn(300, sharpen=2.5)
    best = fit_temperature(shares, actual)
    at_best = log_loss(actual, tempered(shares, best))
    for temperature in best * np.array([0.5, 0.9, 0.99, 1.01, 1.1, 2]):
        assert log_loss(actual, tempered(shares, temperature)) > at_best


def test_figures_before_and_after() -> None:
    shares, actual, _ = drawn(2000, sharpen=3)
    found = calibrate(shares, actual)
    assert found.pictures == 2000
    assert found.nll_before == pytest.approx(log_loss(actual, shares))
    assert found.nll_after < found.nll_before
    assert found.ece_after < found.ece_before / 3
    assert found.ece_after < 0.04


def test_what_is_calibrated_stays_nearly_as_it_is() -> None:
    shares, actual, _ = drawn(2000)
    found = calibrate(shares, actual)
    assert found.temperature == pytest.approx(1, abs=0.1)
    assert found.nll_after <= found.nll_before


def test_few_pictures_and_rounded_zeros_change_nothing_and_break_nothing() -> None:
    shares, actual = np.eye(3)[[0, 1, 2, 0]], np.array([0, 1, 1, 0])
    found = calibrate(shares, actual)
    assert found.temperature == 1
    assert found.nll_before == found.nll_after == negative_log_likelihood(shares, actual)
    assert 0 < fit_temperature(np.eye(2)[[0, 1] * 10], np.array([0, 1] * 10)) <= 20


def test_the_expected_calibration_error_by_hand() -> None:
    shares = np.array([[0.9, 0.1], [0.9, 0.1], [0.3, 0.7], [0.45, 0.55]])
    # two at 0.9, one right: |0.5 − 0.9|; one at 0.7, right; one at 0.55, wrong
    error = expected_calibration_error(shares, np.array([0, 1, 1, 0]))
    assert error == pytest.approx((2 * 0.4 + 0.3 + 0.55) / 4)


def test_the_temperature_folds_into_the_affine_layer(head: Head) -> None:
    features = torch.from_numpy(np.random.default_rng(3).normal(size=(20, head.dim)))
    plain = AffineHead(head)(features).numpy().astype(np.float64)
    scaled = AffineHead(calibrated(head, 2.5))(features).numpy()
    np.testing.assert_allclose(scaled, tempered(plain, 2.5), atol=1e-5)
    assert (scaled.argmax(1) == plain.argmax(1)).all()
    with pytest.raises(ModelError, match="must be positive"):
        calibrated(head, 0)


def test_a_weight_of_two_is_a_picture_twice() -> None:
    rng = np.random.default_rng(3)
    shares, actual = rng.dirichlet([1, 1, 1], 60), rng.integers(0, 3, 60)
    weights = rng.integers(1, 3, 60).astype(float)
    twice = np.repeat(np.arange(60), weights.astype(int))
    for measure in (fit_temperature, negative_log_likelihood, expected_calibration_error):
        weighted = measure(shares, actual, weights=weights)
        assert weighted == pytest.approx(measure(shares[twice], actual[twice]), abs=1e-4)


def test_no_part_has_a_say_in_its_own_temperature() -> None:
    rng = np.random.default_rng(4)
    shares, actual = rng.dirichlet([0.2, 0.2], 40), rng.integers(0, 2, 40)
    parts = np.arange(40) // 2
    found = cross_fitted(shares, actual, parts)
    for mine in (parts == 3, parts == 4):
        other = actual.copy()
        other[mine] = 1 - other[mine]
        np.testing.assert_array_equal(cross_fitted(shares, other, parts)[mine], found[mine])
    fifth = parts % 5 == 2
    expected = tempered(shares[fifth], fit_temperature(shares[~fifth], actual[~fifth]))
    np.testing.assert_allclose(found[fifth], expected)
    alone = cross_fitted(shares[:4], actual[:4], np.zeros(4, np.int64))  # one part has no others
    assert np.isfinite(alone).all()


def test_what_is_far_off_is_tempered_as_the_head_that_serves_tempers_it() -> None:
    """Discriminant analysis puts classes 60 nats apart; a promise rests on how far exactly."""
    logits = np.array([[60.0, 0.0], [0.0, 30.0], [200.0, 0.0]])
    shares = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    found = np.log(tempered(shares, 4.0))
    assert (found[:, 0] - found[:, 1]).tolist() == pytest.approx([15, -7.5, 50])
