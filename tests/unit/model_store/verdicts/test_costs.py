from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.products import Costs, parse_product
from model_store.verdicts.costs import VerdictCounts, at_defect_rate, cheapest_borders, on_the_line
from producer.contract import Verdict

GOOD = VerdictCounts(passed=960, defect=40)
DEFECTS = VerdictCounts(passed=40, defect=960)
rates = st.floats(0.001, 0.999)
prices = st.floats(0.01, 1e4)


def test_the_same_model_is_right_less_often_where_defects_are_rare() -> None:
    assert on_the_line(GOOD, DEFECTS, 0.5).ppv == pytest.approx(0.96)
    assert on_the_line(GOOD, DEFECTS, 0.005).ppv == pytest.approx(0.1076, abs=1e-4)
    assert on_the_line(GOOD, DEFECTS, 0.005).npv == pytest.approx(0.99979, abs=1e-5)


def test_the_expected_cost_by_hand() -> None:
    good = VerdictCounts(passed=90, defect=4, review=6)
    defects = VerdictCounts(passed=1, defect=7, review=2)
    costs = Costs(escape=500, overkill=10, review=1, defect_rate=0.02)
    found = on_the_line(good, defects, 0.02, costs)
    assert found.escape_rate == pytest.approx(0.002)
    assert found.overkill_rate == pytest.approx(0.98 * 0.04)
    assert found.review_share == pytest.approx(0.02 * 0.2 + 0.98 * 0.06)
    assert found.cost == pytest.approx(500 * 0.002 + 10 * 0.0392 + 0.0628)


def test_what_never_happens_has_no_share() -> None:
    found = on_the_line(VerdictCounts(review=5), VerdictCounts(), 0.1)
    assert (found.ppv, found.npv, found.cost) == (None, None, None)
    assert VerdictCounts.of([Verdict.PASS, Verdict.REVIEW, Verdict.PASS]).passed == 2


@given(rates, rates, rates)
def test_the_shift_of_odds_goes_there_and_back(p: float, trained: float, line: float) -> None:
    there = at_defect_rate(p, trained, line)
    assert at_defect_rate(there, line, trained) == pytest.approx(p, rel=1e-6)
    odds = there / (1 - there)
    expected = p / (1 - p) * ((1 - line) / line) / ((1 - trained) / trained)
    assert odds == pytest.approx(expected, rel=1e-6)


@given(prices, prices, prices, rates, rates, st.floats(0.0001, 0.9999))
def test_no_other_verdict_is_cheaper(
    escape: float, overkill: float, review: float, line: float, trained: float, p: float
) -> None:
    costs = Costs(escape=escape, overkill=overkill, review=review, defect_rate=line)
    borders = cheapest_borders(costs, trained)
    on_line = at_defect_rate(p, trained, line)
    price = {"pass": escape * (1 - on_line), "defect": overkill * on_line, "review": review}
    said = "pass" if p >= borders.pass_from else "defect" if p <= borders.defect_to else "review"
    assert price[said] <= min(price.values()) * (1 + 1e-6) + 1e-9


def test_a_product_file_may_name_its_costs() -> None:
    data = {
        "product": "plug",
        "costs": {"escape": 400, "overkill": 3, "review": 0.5, "defect_rate": 0.004},
        "classes": [{"code": "good", "good": True}, {"code": "cut"}],
    }
    spec = parse_product(data, source="plug.yaml")
    assert spec.costs == Costs(escape=400, overkill=3, review=0.5, defect_rate=0.004)
