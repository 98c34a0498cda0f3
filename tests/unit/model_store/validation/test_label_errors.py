from __future__ import annotations

import sys

import numpy as np
import pytest

from linewatch.errors import LabelError
from model_store.validation.crossval import cross_validate
from model_store.validation.label_errors import label_suspects
from tests.unit.model_store.conftest import blobs


def test_swapped_labels_come_first() -> None:
    pytest.importorskip("cleanlab")
    features, labels = blobs({"a": 30, "b": 30, "c": 30, "rare": 2}, dim=20, spread=0.5)
    truth = list(labels)
    wrong = [n for n, name in enumerate(labels) if name in "ab"][:3]
    for n in wrong:
        labels[n] = "c"
    found = label_suspects(cross_validate(features, labels), labels)
    assert {one.row for one in found[:3]} == set(wrong)
    for one in (one for one in found if one.row in wrong):
        assert one.likely_error
        assert (one.label, one.suggested) == ("c", truth[one.row])
    qualities = [one.quality for one in found]
    assert qualities == sorted(qualities)
    assert all(labels[one.row] != "rare" for one in found)


def test_clean_labels_are_left_in_peace() -> None:
    pytest.importorskip("cleanlab")
    features, labels = blobs({"a": 20, "b": 20}, dim=20, spread=0.1)
    assert label_suspects(cross_validate(features, labels), labels) == []


def test_without_cleanlab_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    features, labels = blobs({"a": 5, "b": 5})
    validation = cross_validate(features, labels)
    monkeypatch.setitem(sys.modules, "cleanlab.filter", None)
    with pytest.raises(LabelError, match=r"linewatch\[studies\]"):
        label_suspects(validation, labels)


def test_one_testable_class_shows_no_errors() -> None:
    pytest.importorskip("cleanlab")
    rng = np.random.default_rng(0)
    labels = ["a"] * 6 + ["b"]
    with pytest.raises(LabelError, match="two or more classes"):
        label_suspects(cross_validate(rng.normal(size=(7, 3)), labels), labels)
