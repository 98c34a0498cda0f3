"""Model versions over time against a count of every part."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine

from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.versions import versions
from quality.intervals.wilson import wilson_interval
from tests.support.counted_parts import BERLIN, random_parts, store, usual
from tests.support.part_truth import expected


@pytest.mark.parametrize("by", [(), ("week",), ("line", "shift")])
def test_versions_equal_a_count_of_every_part(engine: Engine, by: tuple[str, ...]) -> None:
    parts = random_parts(31, 500)
    store(engine, parts, usual())
    names = ("product", "model_version", *(by or ("day",)))
    counts = expected(parts, names)
    report = versions(engine, PartFilters(), by, BERLIN)
    assert [tuple(row[name] for name in names) for row in report.rows] == sorted(counts)
    for row in report.rows:
        count = counts[tuple(row[name] for name in names)]
        bad, decided = count["nonconforming"], count["conforming"] + count["nonconforming"]
        for name in ("parts", "conforming", "nonconforming", "open", "by_person"):
            assert row[name] == count[name]
        assert row["open_share"] == (count["open"] / count["parts"] if count["parts"] else None)
        assert row["rate"] == (bad / decided if decided else None)
        interval = wilson_interval(bad, decided) or (None, None)
        assert (row["rate_low"], row["rate_high"]) == interval
