"""Names, ranges and groups that there cannot be: one sentence each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from db.reports.part_reports.defect_rate import defect_rate, first_pass
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.lot import lot_release
from db.reports.part_reports.pareto import pareto
from linewatch.errors import ReportError
from tests.support.counted_parts import BERLIN, SATURDAY, Made, store, usual


@pytest.mark.parametrize(
    ("only", "sentence"),
    [
        ({"line": "l1"}, "no line is called 'l1'; did you mean 'L1'?"),
        ({"product": "cabel"}, "no product is called 'cabel'; did you mean 'cable'?"),
        ({"lot": "LOT_170"}, "no lot is called 'LOT_170'; did you mean 'LOT-170'?"),
        ({"shift": "nigth"}, "no shift is called 'nigth'; did you mean 'night'?"),
        ({"work_order": "7"}, "no work order is called '7'; there is none yet"),
    ],
    ids=str,
)
def test_a_name_that_nothing_has_is_an_error(
    engine: Engine, only: dict[str, str], sentence: str
) -> None:
    store(engine, [Made(SATURDAY, lot=f"LOT-{n}", serial=f"S{n}") for n in range(200)], usual())
    for report in (defect_rate, first_pass, pareto):
        with pytest.raises(ReportError) as caught:
            report(engine, PartFilters(**only), (), BERLIN)  # type: ignore[arg-type]
        assert str(caught.value) == sentence
    with pytest.raises(ReportError, match="no lot is called 'LOT_170'"):
        lot_release(engine, "LOT_170", BERLIN)
    empty = PartFilters(line="L1", shift="late")  # both are there, though no part is
    assert defect_rate(engine, empty, ("line",), BERLIN).rows == ()


@pytest.mark.parametrize(
    ("since", "until", "words"),
    [
        (SATURDAY, SATURDAY, "the range ends before it begins: 2026-03-28T03:00"),
        (SATURDAY, SATURDAY - timedelta(days=1), "the range ends before it begins"),
        (datetime(2999, 1, 1, tzinfo=UTC), None, "the range is in the future: 2999-01-01T00:00"),
    ],
)
def test_a_range_that_cannot_be(
    engine: Engine, since: datetime, until: datetime | None, words: str
) -> None:
    with pytest.raises(ReportError, match=words):
        defect_rate(engine, PartFilters(since=since, until=until), (), BERLIN)


def test_what_parts_are_not_grouped_by(engine: Engine) -> None:
    with pytest.raises(ReportError, match="`linewatch report pictures` counts pictures by camera"):
        defect_rate(engine, PartFilters(), ("camera",), BERLIN)
    with pytest.raises(ReportError, match="cannot group by 'colour'; choose from line, product"):
        defect_rate(engine, PartFilters(), ("colour",), BERLIN)
