"""People's words against the model's."""

from __future__ import annotations

import pytest

from quality.agreement.appraisal import Appraisal
from quality.intervals.wilson import wilson_interval


def test_of_bad_parts_escapes_are_a_share_of_what_the_model_decided() -> None:
    cells = Appraisal(good=False, agreed=6, other_class=1, escapes=3, open=5, unjudged=2).cells()
    assert (cells["said"], cells["decided"]) == (17, 10)
    assert (cells["agreement"], cells["escape_rate"], cells["overkill_rate"]) == (0.6, 0.3, None)
    assert (cells["escape_rate_low"], cells["escape_rate_high"]) == wilson_interval(3, 10)
    assert (cells["agreement_low"], cells["agreement_high"]) == wilson_interval(6, 10)


def test_of_good_parts_overkill_is() -> None:
    cells = Appraisal(good=True, agreed=9, overkill=1).cells()
    assert (cells["agreement"], cells["escape_rate"], cells["overkill_rate"]) == (0.9, None, 0.1)
    assert (cells["overkill_rate_low"], cells["overkill_rate_high"]) == wilson_interval(1, 10)


@pytest.mark.parametrize("good", [True, False])
def test_where_the_model_decided_nothing_there_is_no_share(good: bool) -> None:
    cells = Appraisal(good=good, open=3).cells()
    assert cells["said"] == 3
    shares = [name for name in cells if "agreement" in name or "rate" in name]
    assert len(shares) == 9
    assert {cells[name] for name in shares} == {None}
