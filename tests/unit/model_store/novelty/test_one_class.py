from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import beta

from linewatch.errors import ModelError, TrainingError
from model_store.fitting.good_only import good_only, good_only_head
from model_store.heads.fit import fit_head
from model_store.manifest import ManifestDraft
from model_store.novelty.one_class import fit_one_class, turned_away
from model_store.novelty.unlike_good import GoodPatches
from model_store.promise.words import in_short, is_provisional
from model_store.serving.rejudge import rejudge
from model_store.store import ModelStore, StoredModel
from model_store.validation.crossval import cross_validate
from model_store.verdicts.decisions import Policy, decide
from model_store.verdicts.verdict import Thresholds, judge
from producer.contract import Reason, Verdict
from tests.unit.model_store.novelty.test_novelty import classes

DIM = 30


def good_parts(n: int, seed: int = 0) -> np.ndarray:
    return classes(n, DIM, k=1, seed=seed)[0]


def test_the_border_keeps_its_rate_whatever_the_defects_are() -> None:
    good, fresh = good_parts(400), good_parts(4000, seed=7)
    for rate in (0.02, 0.1):
        found = fit_one_class(good, rate)
        assert (found.measure.distances(fresh) > found.border).mean() == pytest.approx(
            rate, abs=0.02
        )
    # a wide class of defects does not move it out, as it moves that of all classes
    rng = np.random.default_rng(5)
    wide = 4 * rng.normal(size=(200, DIM)) + 3
    features = np.concatenate([good, wide])
    labels = ["good"] * 400 + ["wide"] * 200
    unknown = good_parts(50, seed=8) + np.eye(DIM)[0] * 9
    policy = Policy(review_below=0, novelty_rate=0.02, unlike_good_rate=0.02)
    decided = decide(
        fit_head(features, labels),
        cross_validate(features, labels),
        features,
        labels,
        good_class="good",
        policy=policy,
    )
    assert decided.one_class is not None
    assert decided.novelty is not None
    far = decided.one_class.measure.distances(unknown)
    assert (far > decided.thresholds.unlike_good_above).mean() > 0.9
    assert (decided.novelty.distances(unknown) > decided.thresholds.novel_above).mean() < 0.5
    assert decided.report is not None
    assert 1 <= decided.report.good.review <= 24  # out of 400, by distances without each picture


def test_a_part_of_several_pictures_is_left_out_whole_and_lies_where_its_farthest_does() -> None:
    rng = np.random.default_rng(0)
    parts = good_parts(120)
    pictures = np.repeat(parts, 3, axis=0) + 0.05 * rng.normal(size=(360, DIM))
    own = np.arange(360) // 3
    apart, by_part = fit_one_class(pictures, 0.05), fit_one_class(pictures, 0.05, own)
    assert (apart.cost.parts, by_part.cost.parts) == (360, 120)
    fresh = good_parts(3000, seed=9)
    flagged = [(one.measure.distances(fresh) > one.border).mean() for one in (apart, by_part)]
    assert flagged[0] > 0.15  # its own other pictures made each look near
    assert flagged[1] == pytest.approx(0.05, abs=0.05)


def test_a_decided_model_counts_parts_and_without_a_good_class_has_no_such_border() -> None:
    rng = np.random.default_rng(0)
    features = np.concatenate([np.repeat(good_parts(20), 2, axis=0), 3 + good_parts(20, seed=1)])
    features += 0.01 * rng.normal(size=features.shape)
    labels = ["good"] * 40 + ["bent"] * 20
    parts = [f"P{i // 2}" for i in range(40)] + [f"Q{i}" for i in range(20)]
    validation = cross_validate(features, labels, groups=parts)
    policy = Policy(unlike_good_rate=0.05)
    head = fit_head(features, labels)
    for good, expected in (("good", 20), (None, None)):
        found = decide(head, validation, features, labels, good_class=good, policy=policy)
        assert (found.unlike_good and found.unlike_good.parts) == expected
        assert (found.thresholds.unlike_good_above is None) == (good is None)


def test_what_few_good_parts_say_is_said_in_numbers() -> None:
    """Drawn anew 2,000 times, the true share lies in the interval nine times in ten."""
    rng = np.random.default_rng(1)
    cost = turned_away(40, 0.05)
    borders = np.sort(rng.random((2000, 40)), axis=1)[:, 38]  # of 41 · 0.95, rounded up
    inside = (1 - borders >= cost.rate_low) & (1 - borders <= cost.rate_high)
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    few, many = turned_away(20, 0.05), turned_away(500, 0.05)
    assert few.rate_high == pytest.approx(beta.ppf(0.95, 1, 20))
    assert few.rate_high - few.rate_low > 0.13 > 4 * (many.rate_high - many.rate_low) - 0.02
    assert "20 good parts the true share lies between 0.3% and 13.9%" in few.words()


def test_too_few_good_parts_have_no_border() -> None:
    with pytest.raises(ModelError, match="9 good parts do not show"):
        fit_one_class(good_parts(9), 0.05)
    with pytest.raises(ModelError, match="5 good parts do not show"):
        fit_one_class(good_parts(10), 0.05, np.arange(10) // 2)
    assert fit_one_class(good_parts(10), 0.05).border > 0


@pytest.mark.parametrize(
    ("shares", "from_good", "expected"),
    [
        ([0.1, 0.9], 1.0, (Verdict.PASS, None)),  # at the border: like good
        ([0.1, 0.9], 1.1, (Verdict.REVIEW, Reason.NOVEL)),
        ([0.1, 0.9], float("nan"), (Verdict.REVIEW, Reason.NOVEL)),
        ([0.1, 0.9], None, (Verdict.PASS, None)),
        ([0.9, 0.1], 9.0, (Verdict.DEFECT, None)),  # a known defect is unlike good
        ([0.5, 0.5], 9.0, (Verdict.REVIEW, Reason.UNCERTAIN)),
    ],
)
def test_what_is_unlike_good_does_not_pass(
    shares: list[float], from_good: float | None, expected: tuple[Verdict, Reason | None]
) -> None:
    rules = Thresholds(review_below=0.6, unlike_good_above=1.0, novel_above=5.0)
    names = ("bent", "good")
    said = judge(shares, classes=names, good_class="good", thresholds=rules, from_good=from_good)
    assert (said.verdict, said.reason) == expected
    without = rules.model_copy(update={"unlike_good_above": None})  # as in 0.1.0
    old = judge(shares, classes=names, good_class="good", thresholds=without, from_good=from_good)
    assert old.reason is not Reason.NOVEL


def test_a_model_of_good_parts_alone(
    make_draft: Callable[..., ManifestDraft], tmp_path: Path
) -> None:
    features = good_parts(40).astype(np.float32)
    decided = good_only(features, ["good"] * 40, rate=0.05)
    assert decided.one_class is not None
    store = ModelStore(str(tmp_path))
    draft = make_draft(
        kind="good-only",
        metrics=None,
        image_counts={"good": 40},
        thresholds=decided.thresholds,
        unlike_good=decided.unlike_good,
    )
    saved = store.save(decided.head, draft, one_class=decided.one_class.measure)
    model = store.load("cable", saved.version)
    assert isinstance(model, StoredModel)
    assert model.manifest.unlike_good == decided.unlike_good
    assert is_provisional(saved)
    assert in_short(saved) == "provisional, made of good parts alone"
    strange = good_parts(30, seed=3) + np.eye(DIM)[1] * 15
    said = rejudge(model, np.concatenate([good_parts(200, seed=4), strange])).judgements
    assert sum(one.verdict is Verdict.PASS for one in said[:200]) > 160
    assert {(one.verdict, one.reason) for one in said[200:]} == {(Verdict.REVIEW, Reason.NOVEL)}
    assert {one.confidence for one in said} == {None}  # one class: nothing to be sure against
    assert {one.defect_class for one in said[:200]} == {"good"}
    with pytest.raises(ModelError, match="how unlike good"):
        store.load("cable", store.save(decided.head, draft).version)
    with pytest.raises(ModelError, match="only a model of good parts alone"):
        store.save(decided.head, draft.model_copy(update={"kind": "fitted"}))
    with pytest.raises(ModelError, match="it would pass all"):
        store.save(decided.head, draft.model_copy(update={"thresholds": Thresholds()}))


def test_good_parts_alone_need_enough_of_them_and_a_rate() -> None:
    with pytest.raises(TrainingError, match="label more good parts, or some"):
        good_only(good_parts(9), ["good"] * 9, rate=0.05)
    with pytest.raises(TrainingError, match="UNLIKE_GOOD_RATE=0 leaves nothing"):
        good_only(good_parts(40), ["good"] * 40, rate=None)
    with pytest.raises(TrainingError, match="not bent, good"):
        good_only_head(good_parts(2), ["good", "bent"])


def test_one_picture_sent_as_every_part_makes_a_model_that_knows_it_alone() -> None:
    """An integrator tries the line with one file; its border was 0, which no manifest takes."""
    same = np.tile([1.0, 0.0, 0.0, 0.0], (100, 1))
    tokens = np.zeros((100, 196, 8), np.float16)
    tokens[..., 0] = 1
    patches = GoodPatches("look", tokens, np.arange(100))
    made = good_only(same, ["good"] * 100, rate=0.02, patches=patches)
    again = Thresholds.model_validate(made.thresholds.model_dump())
    assert again == made.thresholds
    assert made.one_class is not None
    found = made.one_class.measure.distances([[1.0, 0, 0, 0], [0.9, 0.1, 0, 0]])
    assert (found <= made.one_class.border).tolist() == [True, False]
