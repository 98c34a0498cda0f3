from __future__ import annotations

import numpy as np
import pytest

from linewatch.products import Costs
from model_store.crossval import cross_validate
from model_store.decisions import Decided, decide
from model_store.fit import fit_head
from model_store.policy import Policy
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
