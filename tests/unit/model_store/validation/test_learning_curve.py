from __future__ import annotations

import numpy as np
import pytest

from linewatch.errors import TrainingError
from model_store.validation.crossval import cross_validate
from model_store.validation.learning_curve import CurvePoint, advise, power_law
from tests.unit.model_store.conftest import blobs


@pytest.mark.parametrize(("b", "c"), [(0.9, 0.3), (2.0, 0.7), (0.4, 0.0)])
def test_a_power_law_is_found_again(b: float, c: float) -> None:
    points = [CurvePoint(m, 1 - b * m**-c) for m in (4, 8, 16, 32)]
    found = power_law(points)
    assert found == pytest.approx((b, c), abs=1e-9)


def test_a_curve_that_falls_is_flat() -> None:
    b, c = power_law([CurvePoint(4, 0.8), CurvePoint(8, 0.6)])
    assert c == 0
    assert b == pytest.approx(np.sqrt(0.2 * 0.4))


def test_advice_tells_enough_from_too_few_and_from_hopeless() -> None:
    rng = np.random.default_rng(0)
    features, labels = blobs({"easy": 40, "twin 1": 40, "twin 2": 40}, dim=20, spread=0.3)
    twins = np.char.startswith(labels, "twin")
    features[twins] = rng.normal(size=(80, 20)) + 9  # nothing tells these two apart
    features = np.vstack([features, rng.normal(size=(2, 20)) - 9])
    found = {one.class_code: one for one in advise(features, [*labels, "rare", "rare"], draws=3)}
    assert (found["easy"].f1, found["easy"].more_for_target) == (pytest.approx(1, abs=0.05), 0)
    for twin in ("twin 1", "twin 2"):
        assert found[twin].f1 == pytest.approx(0.5, abs=0.15)
        assert found[twin].more_for_target is None
        assert "alone hardly help" in found[twin].words
    assert found["rare"].f1 is None
    assert "1 more" in found["rare"].words


def test_what_is_foretold_comes_true() -> None:
    """A curve drawn from 20 pictures a class foretells what 40 a class bring."""
    features, labels = blobs({"a": 40, "b": 40, "c": 40}, dim=40, spread=1.6, seed=3)
    names = np.asarray(labels)
    few = np.concatenate([np.flatnonzero(names == k)[:20] for k in "abc"])
    early = advise(features[few], names[few].tolist(), target=0.99)
    late = advise(features, labels, target=0.99)
    for one, other in zip(early, late, strict=True):
        assert one.f1_doubled is not None
        assert other.f1 is not None
        assert one.f1 is not None
        assert one.f1 < other.f1
        assert one.f1_doubled == pytest.approx(other.f1, abs=0.1)
    sizes = [point.images for point in early[0].curve]
    assert sizes == sorted(sizes)
    assert sizes[-1] == pytest.approx(20 * 2 / 3, abs=0.5)


def test_bad_data_is_refused() -> None:
    with pytest.raises(TrainingError, match="not finite"):
        advise(np.full((6, 2), np.nan), ["a", "b"] * 3)
    with pytest.raises(TrainingError, match="at least two classes"):
        advise(np.zeros((6, 2)), ["a"] * 6)
    found = advise(np.eye(4), ["a", "a", "b", "b"])
    assert [one.words for one in found] == ["label 1 more, or it cannot even be tested"] * 2


def test_macro_f1_with_and_without_classes_that_are_too_rare() -> None:
    features, labels = blobs({"a": 10, "b": 10, "rare": 2}, spread=0.2)
    metrics = cross_validate(features, labels).metrics
    assert metrics.unscored == ("rare",)
    assert metrics.macro_f1 == pytest.approx(1)
    assert metrics.macro_f1_with_unscored == pytest.approx(2 / 3)


def test_views_of_a_part_are_drawn_and_judged_with_it() -> None:
    """Noise, in five views of each part: parted, they promise what no line will see."""
    rng = np.random.default_rng(0)
    parts = np.repeat(np.arange(24), 5)
    features = rng.normal(size=(24, 60))[parts] + 0.01 * rng.normal(size=(120, 60))
    labels = [("a", "b")[part % 2] for part in parts]
    by_picture = advise(features, labels, draws=1)
    by_part = advise(features, labels, draws=1, groups=parts.tolist())
    assert min(one.f1 for one in by_picture) > 0.9
    assert max(one.f1 for one in by_part) < 0.7
    assert [point.images for point in by_part[0].curve] == [10, 20, 30, 40]
    assert by_part[0].labels == 60


def test_a_class_of_one_part_needs_parts_not_pictures() -> None:
    features, labels = blobs({"a": 12, "b": 12, "one": 9})
    groups = ["S-1" if label == "one" else str(row) for row, label in enumerate(labels)]
    found = {one.class_code: one for one in advise(features, labels, draws=1, groups=groups)}
    assert found["one"].f1 is None
    assert "label 2 more" in found["one"].words
    only = advise(features, labels, draws=1, groups=["S-1"] * 33)
    assert {one.f1 for one in only} == {None}
