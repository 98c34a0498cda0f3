"""Have I labelled enough? How each class's F1 grows with its labels, and what more would bring.

Models are trained on fewer pictures a class than there are, and judged on pictures they have not
seen. Through a class's shortfall 1 − F1 a power law b · m^−c of its training pictures m is drawn,
the form that learning curves follow in practice (Hestness et al., "Deep Learning Scaling is
Predictable, Empirically", 2017; Figueroa et al., "Predicting sample size required for
classification performance", 2012). It is read no further than four times the pictures there are.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import ceil, exp, log

import numpy as np
import numpy.typing as npt

from model_store.fitting.training_set import TrainingSet, training_set
from model_store.heads.baselines import fit_rival
from model_store.validation.crossval import FOLDS, RANDOM_STATE
from model_store.validation.folds import (
    UNTESTED,
    Bools,
    Numbers,
    assign_folds,
    learned_from,
    part_numbers,
    parts_a_class,
)

_FRACTIONS = (0.25, 0.5, 0.75, 1.0)
_DRAWS = 5
_FLOOR = 0.01  # a shortfall below this is as good as none, and has no logarithm
_REACH = 4.0  # times the pictures there are: as far as the law is trusted


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """Mean F1 of a class at a number of training pictures of it."""

    images: float
    f1: float


@dataclass(frozen=True, slots=True)
class Advice:
    """What more labels of a class would bring.

    Attributes:
        class_code: the class.
        labels: how many it has.
        f1: with the training pictures that the folds leave it; None where it cannot be tested.
        f1_doubled: expected with twice as many.
        more_for_target: labels still missing for the target: 0 where it is met, None where the
            curve does not reach it within four times the labels there are, or cannot be drawn.
        words: for people.
        curve: what was measured.
    """

    class_code: str
    labels: int
    f1: float | None
    f1_doubled: float | None
    more_for_target: int | None
    words: str
    curve: tuple[CurvePoint, ...]


def power_law(points: Sequence[CurvePoint]) -> tuple[float, float]:
    """b and c ≥ 0 of the shortfall 1 − F1 = b · m^−c, by least squares on logarithms.

    A curve that falls with more pictures is noise: c is then 0, b the mean shortfall.
    """
    x = np.log([point.images for point in points])
    y = np.log([max(1 - point.f1, _FLOOR) for point in points])
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread > 0 else 0.0
    c = max(0.0, -slope)
    return exp(float(y.mean()) + c * float(x.mean())), c


def advise(
    features: npt.ArrayLike,
    labels: Sequence[str],
    *,
    target: float = 0.9,
    folds: int = FOLDS,
    draws: int = _DRAWS,
    random_state: int = RANDOM_STATE,
    groups: Sequence[Hashable] | None = None,
) -> tuple[Advice, ...]:
    """Advice for each class.

    Args:
        features: float [n, d].
        labels: n class names.
        target: the F1 that is wanted of every class, below 1.
        folds: how many models judge each picture.
        draws: how often folds and training pictures are drawn; the curves are means over them.
        random_state: decides the draws.
        groups: names the part of each picture; None: each is a part of its own. Parts are drawn
            and judged whole.

    Raises:
        TrainingError: the data cannot be used.
    """
    data = training_set(features, labels)
    parts = part_numbers(groups, len(labels))
    shown = parts_a_class(labels, parts)
    curves = _curves(data, parts, folds, draws, random_state)
    return tuple(
        _advice(name, count, curves.get(name, ()), target, folds - shown[name])
        for name, count in data.counts().items()
    )


def _curves(
    data: TrainingSet, parts: Numbers, folds: int, draws: int, random_state: int
) -> dict[str, tuple[CurvePoint, ...]]:
    shown = parts_a_class(data.labels.tolist(), parts)
    scored = [name for name in data.classes if shown[name] >= folds]
    if not scored:
        return {}
    seen: dict[str, dict[float, list[tuple[float, float]]]] = {
        name: {fraction: [] for fraction in _FRACTIONS} for name in scored
    }
    for number in range(draws):
        rng = np.random.default_rng([random_state, number])
        for fraction in _FRACTIONS:
            for name, images, f1 in _measured(data, parts, scored, folds, fraction, rng):
                seen[name][fraction].append((images, f1))
    return {name: tuple(_points(levels)) for name, levels in seen.items()}


def _points(levels: dict[float, list[tuple[float, float]]]) -> list[CurvePoint]:
    means = [np.mean(pairs, axis=0) for pairs in levels.values() if pairs]
    by_images = {float(images): float(f1) for images, f1 in means}  # small classes repeat a size
    return [CurvePoint(images, f1) for images, f1 in sorted(by_images.items())]


def _measured(
    data: TrainingSet,
    parts: Numbers,
    scored: list[str],
    folds: int,
    fraction: float,
    rng: np.random.Generator,
) -> list[tuple[str, float, float]]:
    """One draw: for each scored class its training pictures a fold, and its F1 over the folds."""
    said = np.full(len(data.labels), "", dtype=data.labels.dtype)
    used = dict.fromkeys(scored, 0)
    assigned = assign_folds(data.labels.tolist(), folds, int(rng.integers(1 << 31)), parts.tolist())
    for number in range(folds):
        may, test = learned_from(assigned, number, parts), assigned == number
        rows = [np.flatnonzero(may & (assigned == UNTESTED))]
        for name in scored:
            kept = _drawn(may & (data.labels == name), parts, fraction, rng)
            used[name] += len(kept)
            rows.append(kept)
        learn = np.concatenate(rows)
        head = fit_rival(data.features[learn], data.labels[learn].tolist(), "logistic")
        weight, bias = head.affine()
        best = (data.features[test] @ weight.T + bias).argmax(axis=1)
        said[test] = np.asarray(head.classes)[best]
    return [(name, used[name] / folds, _f1(data.labels, said, name)) for name in scored]


def _drawn(
    mine: Bools, parts: Numbers, fraction: float, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """The rows of a share of these pictures' parts, one part at least, whole parts."""
    shuffled = rng.permutation(np.unique(parts[mine]))
    kept = shuffled[: max(1, round(fraction * len(shuffled)))]
    return np.concatenate([np.flatnonzero(mine & (parts == part)) for part in kept])


def _f1(actual: npt.NDArray[np.str_], said: npt.NDArray[np.str_], name: str) -> float:
    hits = int(((actual == name) & (said == name)).sum())
    return 2 * hits / int((actual == name).sum() + (said == name).sum())


def _advice(
    name: str, count: int, curve: tuple[CurvePoint, ...], target: float, missing: int
) -> Advice:
    if not curve:
        words = f"label {missing} more, or it cannot even be tested"
        return Advice(name, count, None, None, None, words, ())
    now, trained = curve[-1].f1, curve[-1].images
    if now >= target:
        return Advice(name, count, now, None, 0, "enough for the target", curve)
    if len(curve) < 2:
        words = "too few labels to draw a curve; label more and ask again"
        return Advice(name, count, now, None, None, words, curve)
    b, c = power_law(curve)
    doubled = max(now, 1 - b * (2 * trained) ** -c)
    needed = exp(log(b / (1 - target)) / c) if c > 0.02 else float("inf")
    if needed > _REACH * trained:
        words = "more labels alone hardly help: better pictures or another recipe may"
        return Advice(name, count, now, doubled, None, words, curve)
    more = max(1, ceil(count * (needed / trained - 1)))
    return Advice(name, count, now, doubled, more, f"about {more} more reach the target", curve)
