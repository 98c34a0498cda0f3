"""Ideas that need the training pictures of a fold, and so cannot be columns of a recipe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recipes.columns import Columns

Pair = tuple[NDArray[np.float64], NDArray[np.float64]]
GOOD, COMBINED = "good", "combined"
PROMPTS = "prompts"  # the key under which similarities lie beside the parts' columns
_RATIOS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True, slots=True, eq=False)
class Fold:
    """Which rows of a set train and which are judged."""

    columns: Columns
    labels: NDArray[np.str_]
    train: NDArray[np.intp]
    test: NDArray[np.intp]


class Prompts:
    """CLIP's similarity to the sentences of each class, where there are any."""

    def columns(self, fold: Fold) -> Pair:
        """[n, k] each; [n, 0] without sentences."""
        empty = np.zeros((len(fold.labels), 0))
        found = fold.columns.get(PROMPTS, empty).astype(np.float64)
        return found[fold.train], found[fold.test]


class GoodDistance:
    """Cosine distance of each patch to the nearest patch of a good part; maximum, mean, deviation.

    A good training part is measured against the others. Without a class `good` nothing is added.
    """

    def columns(self, fold: Fold) -> Pair:
        """[n, 3] each, or [n, 0]."""
        good = fold.train[fold.labels[fold.train] == GOOD]
        if len(good) < 2:
            return np.zeros((len(fold.train), 0)), np.zeros((len(fold.test), 0))
        cells = fold.columns["dino.grid8"].reshape(len(fold.labels), 64, -1)
        cells = cells / np.maximum(np.linalg.norm(cells, axis=2, keepdims=True), 1e-9)
        rows = [self._row(cells, index, good) for index in (*fold.train, *fold.test)]
        stacked = np.stack(rows).astype(np.float64)
        return stacked[: len(fold.train)], stacked[len(fold.train) :]

    @staticmethod
    def _row(cells: NDArray[Any], index: int, good: NDArray[np.intp]) -> NDArray[Any]:
        bank = cells[good[good != index]].reshape(-1, cells.shape[2])
        nearest = 1 - (cells[index] @ bank.T).max(axis=1)
        return np.asarray([nearest.max(), nearest.mean(), nearest.std()])


class TwoHigh:
    """`combined` is said where the second defect is nearly as probable as the first.

    One-against-rest regressions learn every class but `combined`; how near is near is chosen on
    the training pictures' own cross-validated scores. Elsewhere it is logistic regression.
    """

    def predict(self, features: NDArray[np.float64], fold: Fold) -> NDArray[Any]:
        """Classes of the test rows."""
        known = fold.train[fold.labels[fold.train] != COMBINED]
        has_combined = len(known) < len(fold.train)
        model = self._model().fit(features[known], fold.labels[known])
        scores, classes = model.predict_proba(features[fold.test]), model.classes_
        if not has_combined:
            return np.asarray(classes[scores.argmax(axis=1)])
        return self._said(scores, classes, self._ratio(features, fold))

    def _ratio(self, features: NDArray[np.float64], fold: Fold) -> float:
        from sklearn.metrics import f1_score
        from sklearn.model_selection import StratifiedKFold

        actual = fold.labels[fold.train]
        folds = StratifiedKFold(3, shuffle=True, random_state=42).split(fold.train, actual)
        said = {ratio: np.empty_like(actual) for ratio in _RATIOS}
        for train, test in folds:
            rows = fold.train[train][actual[train] != COMBINED]
            model = self._model().fit(features[rows], fold.labels[rows])
            scores = model.predict_proba(features[fold.train[test]])
            for ratio, answers in said.items():
                answers[test] = self._said(scores, model.classes_, ratio)
        return max(said, key=lambda ratio: f1_score(actual, said[ratio], average="macro"))

    @staticmethod
    def _said(scores: NDArray[Any], classes: NDArray[Any], ratio: float) -> NDArray[Any]:
        order = np.argsort(scores, axis=1)[:, ::-1]
        first, second = order[:, 0], order[:, 1]
        rows = np.arange(len(scores))
        near = scores[rows, second] >= ratio * scores[rows, first]
        both = (classes[first] != GOOD) & (classes[second] != GOOD)
        return np.where(near & both, COMBINED, classes[first])

    @staticmethod
    def _model() -> Any:
        from sklearn.linear_model import LogisticRegression
        from sklearn.multiclass import OneVsRestClassifier
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        regression = OneVsRestClassifier(LogisticRegression(max_iter=2000))
        return make_pipeline(StandardScaler(), regression)


EXTRAS: dict[str, Any] = {"prompts": Prompts(), "good": GoodDistance(), "combined": TwoHigh()}
