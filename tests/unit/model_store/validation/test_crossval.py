from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import (
    accuracy_score,
    confusion_matrix,
    f1_score,
    precision_recall_fscore_support,
)
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import StandardScaler

from linewatch.errors import TrainingError
from model_store.heads.fit import even_weights, fit_head
from model_store.validation.crossval import cross_validate
from tests.unit.model_store.conftest import Data, blobs

SEED = Pipeline([("scaler", StandardScaler()), ("regression", LogisticRegression(max_iter=2000))])


@pytest.mark.parametrize(
    "counts",
    [
        {"a": 10, "b": 7, "c": 3, "d": 5},
        {"bad": 3, "good": 20},
        dict.fromkeys("ihgfedcba", 8),
    ],
)
def test_predictions_are_scikit_learns(counts: dict[str, int]) -> None:
    features, labels = blobs(counts, spread=1.5)
    folds = StratifiedKFold(3, shuffle=True, random_state=42)
    expected = cross_val_predict(SEED, features, labels, cv=folds)
    shares = cross_val_predict(SEED, features, labels, cv=folds, method="predict_proba")

    result = cross_validate(features, labels)
    assert result.predictions.tolist() == expected.tolist()
    np.testing.assert_array_equal(result.probabilities, shares)
    assert result.tested.all()
    assert result.accuracy == pytest.approx(accuracy_score(labels, expected))
    assert result.macro_f1 == pytest.approx(f1_score(labels, expected, average="macro"))
    assert result.weighted_f1 == pytest.approx(f1_score(labels, expected, average="weighted"))
    np.testing.assert_array_equal(result.confusion, confusion_matrix(labels, expected))
    assert result.confusion.sum() - np.trace(result.confusion) > 0  # there are errors to compare
    table = precision_recall_fscore_support(labels, expected, zero_division=0)
    for row, *figures in zip(result.metrics.classes, *table, strict=True):
        assert [row.precision, row.recall, row.f1, row.support] == pytest.approx(figures)
        assert row.scored


def test_the_same_data_gives_the_same_figures_and_another_seed_others() -> None:
    data = blobs({"a": 20, "b": 20}, spread=3)
    first, again = cross_validate(*data), cross_validate(*data)
    np.testing.assert_array_equal(first.probabilities, again.probabilities)
    other = cross_validate(*data, random_state=1)
    assert not np.array_equal(first.probabilities, other.probabilities)
    assert cross_validate(*data, folds=5).metrics.folds == 5


def test_a_rare_class_trains_but_is_never_scored() -> None:
    features, labels = blobs({"a": 10, "rare": 2, "b": 10}, spread=2)
    result = cross_validate(features, labels)
    rare = np.array(labels) == "rare"
    np.testing.assert_array_equal(result.tested, ~rare)
    assert set(result.predictions[rare]) == {""}
    assert np.isnan(result.probabilities[rare]).all()
    assert np.isfinite(result.probabilities[~rare]).all()
    assert (result.probabilities[~rare, 2] > 0).all()  # the class was known in every fold

    rows = {row.class_code: row for row in result.metrics.classes}
    assert rows["rare"].model_dump() == {
        "class_code": "rare", "precision": None, "recall": None, "f1": None,
        "support": 2, "scored": False,
    }  # fmt: skip
    assert result.macro_f1 == pytest.approx((rows["a"].f1 + rows["b"].f1) / 2)
    assert result.confusion[2].sum() == 0
    actual = [label for label in labels if label != "rare"]
    predicted = result.predictions[~rare].tolist()
    expected = f1_score(actual, predicted, labels=["a", "b"], average="macro", zero_division=0)
    assert result.macro_f1 == pytest.approx(expected)
    assert result.accuracy == pytest.approx(accuracy_score(actual, predicted))


def test_a_part_taken_for_a_rare_class_is_counted_as_wrong() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(14, 4))
    features[:6] += 8
    features[6] = features[12:] = [-9, 9, -9, 9]  # one of "b" looks just like the rare ones
    labels = ["a"] * 6 + ["b"] * 6 + ["rare"] * 2
    result = cross_validate(features, labels)
    assert result.confusion_counts()[("b", "rare")] == 1
    assert result.accuracy == pytest.approx(11 / 12)
    assert sum(result.confusion_counts().values()) == 12


def test_too_few_labels_say_how_many_are_missing() -> None:
    features, labels = blobs({"a": 2, "b": 1})
    with pytest.raises(TrainingError, match="1 more of a, 2 more of b"):
        cross_validate(features, labels)
    with pytest.raises(TrainingError, match="only 'a'"):
        cross_validate(features, ["a"] * 3)


def test_a_class_that_is_never_predicted_scores_nothing() -> None:
    rng = np.random.default_rng(0)
    features = np.concatenate([rng.normal(size=(40, 2)), rng.normal(size=(3, 2))])
    result = cross_validate(features, ["a"] * 40 + ["b"] * 3)
    row = result.metrics.classes[1]
    assert (row.precision, row.recall, row.f1) == (0, 0, 0)


def test_good_counts_as_much_as_all_defects_together() -> None:
    labels = ["good"] * 8 + ["cut"] * 3 + ["bent"]
    weights = even_weights(labels, "good")
    assert weights == {"good": 0.75, "cut": 1.5, "bent": 1.5}
    assert sum(weights[name] for name in labels) == len(labels)
    for missing in (None, "fine"):
        assert even_weights(labels, missing) is None
    assert even_weights(["good"] * 3, "good") is None


def test_labelling_good_parts_hardly_moves_an_evenly_weighted_model() -> None:
    """Reviewed parts are mostly good; labelling them must not let the defects pass."""
    few = blobs({"good": 150, "bent": 150}, dim=5, spread=2.0)
    many = blobs({"good": 1500, "bent": 150}, dim=5, spread=2.0)

    def found(data: Data, even_with: str | None) -> tuple[float, float]:
        one = cross_validate(*data, even_with=even_with)
        wrong = one.predictions != np.asarray(data[1])
        bad = np.asarray(data[1]) == "bent"
        return float(wrong[bad].mean()), float(wrong[~bad].mean())

    plain = [found(data, None) for data in (few, many)]
    even = [found(data, "good") for data in (few, many)]
    assert plain[1][0] > plain[0][0] + 0.2  # escapes soar
    assert abs(even[1][0] - even[0][0]) < 0.1
    assert abs(even[1][1] - even[0][1]) < 0.1
    assert fit_head(*many, even_with="good").intercept[1] != fit_head(*many).intercept[1]


def test_a_fold_that_leaves_one_class_to_learn_says_so() -> None:
    """Both scratches are views of parts that one fold is asked about."""
    labels = ["good"] * 9 + ["scratch"] * 2
    groups = [f"part {n}" for n in range(9)] + ["part 0", "part 2"]
    features = np.random.default_rng(0).normal(size=(11, 8))
    for fit in (None, lambda vectors, names, parts: fit_head(vectors, names)):
        with pytest.raises(TrainingError, match="without the parts of one fold only good is left"):
            cross_validate(features, labels, groups=groups, random_state=1, fit=fit)
