from __future__ import annotations

import numpy as np
import pytest

from linewatch.products import Costs
from model_store.heads.fit import fit_head
from model_store.validation.crossval import cross_validate
from model_store.verdicts.costs import cheapest_borders
from model_store.verdicts.decisions import Decided, decide
from model_store.verdicts.policy import Policy
from tests.unit.model_store.conftest import Data, blobs


@pytest.fixture(scope="module")
def data() -> Data:
    return blobs({"good": 80, "bent": 40, "cut": 40, "rare": 2}, dim=10, spread=1.4)


def decided(data: Data, good: str | None = "good", **policy: object) -> Decided:
    return decide(
        fit_head(*data), cross_validate(*data), *data, good_class=good, policy=Policy(**policy)
    )


def test_without_wishes_only_the_threshold_that_was_set(data: Data) -> None:
    found = decided(data, review_below=0.4)
    assert found.thresholds.model_dump() == {"review_below": 0.4}
    assert found.novelty is None
    assert found.report.with_review.review_below == 0.4


def test_the_head_is_calibrated() -> None:
    data = blobs({"good": 40, "bent": 30, "cut": 30}, dim=60, spread=8)  # more features: too sure
    found, raw = decided(data), fit_head(*data)
    temperature = found.report.calibration.temperature
    assert temperature > 1.5
    np.testing.assert_allclose(found.head.coef * temperature, raw.coef)
    assert found.report.calibration.nll_after < found.report.calibration.nll_before


def test_reviews_buy_escapes(data: Data) -> None:
    before = decided(data).report.without_review
    fewer = decided(data, max_escape_rate=before.escape_rate / 2).report.with_review
    assert fewer.escape_rate <= before.escape_rate / 2
    assert fewer.review_share > 0
    some = decided(data, max_review_share=0.08).report.with_review
    assert 0.05 < some.review_share <= 0.08
    assert some.escape_rate <= before.escape_rate


def test_costs_replace_the_review_threshold(data: Data) -> None:
    costs = Costs(escape=100, overkill=5, review=1, defect_rate=0.01)
    found = decided(data, costs=costs)
    assert found.thresholds.review_below == 0
    assert found.thresholds.pass_from is not None
    assert found.thresholds.pass_from > (found.thresholds.defect_to or 0)
    assert decided(data, good=None, costs=costs).thresholds.pass_from is None


def test_conformal_and_novelty(data: Data) -> None:
    found = decided(data, conformal_alpha=0.1, novelty_rate=0.02)
    assert set(found.thresholds.least_probabilities or ()) == {"good", "bent", "cut"}
    assert found.report.unpromised == ("rare",)
    assert found.novelty is not None
    far = found.novelty.distances(data[0] + 20)
    assert (far > (found.thresholds.novel_above or np.inf)).all()
    assert found.report.novelty_rate == 0.02
    counted = found.report.good, found.report.defects
    assert [c.passed + c.defect + c.review for c in counted] == [80, 80]  # rare was not tested
    assert found.report.good.review > decided(data).report.good.review


def test_too_few_pictures_for_novelty() -> None:
    few = (np.eye(3), ["good", "good", "bent"])
    validation = cross_validate(*few, folds=2)
    policy = Policy(novelty_rate=0.01)
    found = decide(fit_head(*few), validation, *few, good_class="good", policy=policy)
    assert found.novelty is None
    assert found.thresholds.novel_above is None


def test_the_promise_decides_what_passes(data: Data) -> None:
    plain, found = decided(data), decided(data, escape_target=0.2)
    promise = found.report.promise
    assert promise is not None
    assert promise.proven
    assert promise.upper_bound <= 0.2
    assert found.thresholds.alone_from == promise.threshold
    assert found.thresholds.prior_log_odds == pytest.approx(0)  # 80 good and 80 defects were tested
    assert found.report.defects.passed <= promise.escapes
    assert found.report.good.passed == round(promise.alone * 80)
    assert found.report.defects.passed <= plain.report.defects.passed
    assert found.report.good.defect == plain.report.good.defect  # it only takes passes away
    assert [row.class_code for row in promise.classes] == ["bent", "cut"]
    assert plain.report.promise is None
    assert "promise" not in plain.report.model_dump()


def test_too_few_defects_for_the_target(data: Data) -> None:
    provisional = decided(data, escape_target=0.01)
    promise = provisional.report.promise
    assert promise is not None
    assert (promise.proven, promise.escapes, promise.counted) == (False, 0, 80)
    assert promise.upper_bound == pytest.approx(1 - 0.05 ** (1 / 80))
    assert provisional.report.defects.passed == 0
    assert provisional.report.good.passed > 0
    review = decided(data, escape_target=0.01, unproven="review")
    assert review.report.promise == promise
    assert review.report.good.passed == 0
    proven = decided(data, escape_target=0.2, unproven="review")
    assert proven.report.good.passed > 0


def test_two_classes_get_a_promise_too() -> None:
    """No threshold on the first choice can fire at 0.5: it is never less probable."""
    data = blobs({"good": 60, "bad": 60}, dim=6, spread=1.6)
    plain, found = decided(data), decided(data, escape_target=0.01)
    assert plain.report.with_review.review_share == 0
    assert plain.report.defects.passed > 0
    assert found.report.defects.passed == 0
    assert found.report.good.review > 0


def test_without_a_good_class_few_are_wrong_among_those_judged_alone(data: Data) -> None:
    found = decided(data, good=None, escape_target=0.01)
    promise = found.report.promise
    assert promise is not None
    assert (promise.risk, promise.escapes) == ("errors", 0)
    assert found.thresholds.prior_log_odds is None
    assert 0 < promise.counted < 160
    assert found.report.defects.defect == promise.counted


def test_what_other_rules_stop_does_not_count_as_passed(data: Data) -> None:
    costs = Costs(escape=100, overkill=5, review=1, defect_rate=0.3)
    for good, more in (("good", {"costs": costs}), (None, {"review_below": 0.8})):
        found = decided(data, good=good, escape_target=0.01, **more)
        promise = found.report.promise
        assert promise is not None
        counted = found.report.good.passed if good else found.report.defects.defect
        assert counted == (round(promise.alone * 80) if good else promise.counted)


def test_a_part_escapes_only_if_all_its_views_pass(data: Data) -> None:
    """Each part has a view of each kind of look; parts, not pictures, are counted."""
    features, labels = data
    groups = [f"{name}-{index // 2}" for index, name in enumerate(labels)]
    validation = cross_validate(features, labels, groups=groups)
    policy = Policy(escape_target=0.01)
    found = decide(
        fit_head(*data), validation, *data, good_class="good", policy=policy
    ).report.promise
    defects = {g for g, name in zip(groups, labels, strict=True) if name in ("bent", "cut")}
    assert found is not None
    assert found.counted == len(defects) < 80


def test_evenly_weighted_labels_have_even_odds() -> None:
    """The costs' borders and the promise's prior are those of the fit, not of the labels' mix."""
    data = blobs({"good": 240, "bent": 40, "cut": 40}, dim=10, spread=1.4)
    costs = Costs(escape=100, overkill=5, review=1, defect_rate=0.01)
    head = fit_head(*data, even_with="good")
    validation = cross_validate(*data, even_with="good")
    policy = Policy(escape_target=0.2, costs=costs)
    found = decide(head, validation, *data, good_class="good", policy=policy, even=True)
    assert found.thresholds.prior_log_odds == 0
    assert found.thresholds.pass_from == pytest.approx(cheapest_borders(costs, 0.5).pass_from)
    plain = decided(data, escape_target=0.2, costs=costs)
    assert plain.thresholds.prior_log_odds == pytest.approx(np.log(3))
    assert plain.thresholds.pass_from == pytest.approx(cheapest_borders(costs, 0.25).pass_from)
