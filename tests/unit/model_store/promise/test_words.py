from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from model_store.heads.fit import fit_head
from model_store.manifest import ManifestDraft
from model_store.promise.words import PROPOSES, in_full, in_short, is_provisional
from model_store.validation.crossval import cross_validate
from model_store.verdicts.decisions import decide
from model_store.verdicts.policy import Policy
from model_store.verdicts.verdict import Thresholds
from tests.unit.model_store.conftest import blobs

Make = Callable[..., ManifestDraft]


@pytest.fixture
def promised(make_draft: Make) -> Callable[..., ManifestDraft]:
    data = blobs({"good": 20, "bent": 15, "cut": 5}, dim=6, spread=0.3)

    def make(good: str | None = "good", **wish: Any) -> ManifestDraft:
        policy = Policy(**{"escape_target": 0.01, **wish})
        found = decide(
            fit_head(*data), cross_validate(*data), *data, good_class=good, policy=policy
        )
        return make_draft(good_class=good, thresholds=found.thresholds, decisions=found.report)

    return make


def test_a_provisional_promise(promised: Make) -> None:
    manifest = promised()
    assert is_provisional(manifest)
    assert in_short(manifest) == "provisional, ≤ 14 % at 95 %"
    sentence, classes = in_full(manifest)
    assert "at most 14 % of the defects pass with 95 % confidence (0 of 20" in sentence
    assert "299 defective parts without an escape would promise 1 %; there are 20" in sentence
    assert "of the good parts pass" in sentence
    assert classes == "escapes by class, at most: cut 45 % (0 of 5), bent 18 % (0 of 15)"


def test_unproven_and_all_to_people(promised: Make) -> None:
    manifest = promised(unproven="review")
    assert not is_provisional(manifest)
    assert in_short(manifest) == "unproven, nothing passes"
    assert "until then nothing passes without a person" in in_full(manifest)[0]


def test_a_proven_promise(promised: Make) -> None:
    manifest = promised(escape_target=0.15)
    assert not is_provisional(manifest)
    assert in_short(manifest) == "≤ 14 % at 95 %"
    assert in_full(manifest)[0].startswith("promise: at most 14 % of the defects pass")


def test_without_a_good_class(promised: Make) -> None:
    manifest = promised(good=None)
    assert in_short(manifest) == "provisional, ≤ 7.2 % at 95 %"
    (sentence,) = in_full(manifest)
    assert "of the parts judged alone are of another class" in sentence
    assert "299 parts without" in sentence


def test_no_promise_and_proposals(make_draft: Make) -> None:
    assert (in_short(make_draft()), in_full(make_draft())) == (None, ())
    manifest = make_draft(thresholds=Thresholds(proposes=True))
    assert in_short(manifest) == PROPOSES
    assert in_full(manifest)[0].startswith(f"it {PROPOSES}")
    assert not is_provisional(manifest)
