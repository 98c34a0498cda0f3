"""Takt, queue and latency against the same figures from every record."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine

from db.inspections.inspections import commit_inspections
from db.inspections.stations import set_line
from db.reports import flow as flow_report
from db.reports.flow import EACH, flow
from db.reports.flow_pictures import SLICES
from db.reports.picture_range import PictureRange
from linewatch.errors import ReportError
from tests.support.committed import committed
from tests.support.records import a_record

# Times are recent: a picture of long ago counts by when the database got it.
MORNING = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)
DAY = PictureRange(MORNING, MORNING + timedelta(days=1))


def stream(line: str, camera: str, count: int, every_s: float) -> list[Any]:
    """Parts one after another; the n-th waits longer than the one before it."""
    records = []
    for n in range(count):
        captured = MORNING + timedelta(seconds=n * every_s)
        records.append(
            a_record(
                line=line,
                camera=camera,
                part=f"{line}-{n}",
                captured_at=captured,
                enqueued_at=captured + timedelta(milliseconds=200),
                decided_at=captured + timedelta(seconds=1 + n % 100 / 100),
            )
        )
    return records


def commit(engine: Engine, records: list[Any]) -> None:
    for start in range(0, len(records), 200):
        commit_inspections(engine, records[start : start + 200], UTC)


def test_percentiles_equal_those_of_every_picture(engine: Engine) -> None:
    records = stream("L1", "C1", 300, 90) + stream("L1", "C2", 300, 90) + stream("L2", "C1", 90, 60)
    commit(engine, records)
    committed(engine, set_line, "L1", {"takt_budget_s": 1.5}, by="ann")
    report = flow(engine, DAY, UTC)
    assert [row["line"] for row in report.rows] == ["L1", "L2"]
    for row in report.rows:
        mine = [r for r in records if r.line == row["line"]]
        latencies = [(r.decided_at - r.captured_at).total_seconds() for r in mine]
        queued = [(r.decided_at - r.enqueued_at).total_seconds() for r in mine]
        for name, values in (("latency", latencies), ("queue", queued)):
            found = [row[f"{name}_p{p}_s"] for p in (50, 95, 99)]
            assert found == pytest.approx(list(np.percentile(values, [50, 95, 99])))
        assert row["pictures"] == row["measured"] == len(mine)
    first, second = report.rows
    assert (first["takt_s"], second["takt_s"]) == (90, 60)
    assert (first["takt_budget_s"], first["late_share"]) == (1.5, pytest.approx(49 / 100))
    assert (second["takt_budget_s"], second["late_share"]) == (None, None)
    assert report.notes == ()


def test_only_what_was_judged_before_the_end_counts(engine: Engine) -> None:
    commit(engine, stream("L1", "C1", 100, 60))
    hour = PictureRange(MORNING, MORNING + timedelta(hours=1))
    (row,) = flow(engine, hour, UTC).rows
    assert row["pictures"] == 60


def test_many_pictures_are_sampled_all_over_the_range(engine: Engine) -> None:
    count = SLICES * EACH * 2
    commit(engine, stream("L1", "C1", count, 86_400 / count))
    report = flow(engine, DAY, UTC)
    (row,) = report.rows
    assert row["pictures"] == SLICES * EACH
    assert "of a camera with more than 1000 pictures, 25 equal slices" in report.notes[0]
    assert row["takt_s"] == pytest.approx(86_400 / count, rel=0.01)


def test_times_that_cannot_be_are_left_out(engine: Engine) -> None:
    late = timedelta(seconds=3)
    records = [
        a_record(captured_at=MORNING - late, part="A", decided_at=MORNING),
        # The camera's clock had jumped ahead.
        a_record(captured_at=MORNING + timedelta(days=3), part="B", decided_at=MORNING),
        a_record(captured_at=None, enqueued_at=None, part="C", decided_at=MORNING),
    ]
    commit(engine, records)
    report = flow(engine, DAY, UTC)
    (row,) = report.rows
    assert (row["pictures"], row["measured"], row["latency_p99_s"]) == (3, 1, 3.0)
    assert row["takt_s"] is None or row["takt_s"] > 0
    assert "no time of capture" in report.notes[-1]


def test_an_open_end_is_now_and_a_quiet_line_has_no_row(engine: Engine) -> None:
    commit(engine, [a_record(decided_at=MORNING)])
    assert len(flow(engine, PictureRange(MORNING - timedelta(days=1)), UTC).rows) == 1
    recent = flow(engine, PictureRange(datetime.now(UTC) - timedelta(hours=1)), UTC)
    assert (recent.rows, recent.until is not None) == ((), True)
    assert recent.empty == "no picture was judged in this time"
    with pytest.raises(ReportError, match=r"no line is called 'l1'; did you mean 'L1'\?"):
        flow(engine, PictureRange(MORNING, line="l1"), UTC)


def test_only_pictures_of_the_product_count(engine: Engine) -> None:
    products = ("cable", "plug", "plug")
    commit(engine, [a_record(product=product, decided_at=MORNING) for product in products])
    assert flow(engine, PictureRange(MORNING, product="plug"), UTC).rows[0]["pictures"] == 2


def test_of_many_cameras_fewer_pictures_are_read(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow_report, "MOST", 2 * 6 * SLICES)  # as of a plant with many
    commit(engine, stream("L1", "C1", 300, 86_400 / 300) + stream("L1", "C2", 150, 86_400 / 150))
    report = flow(engine, DAY, UTC)
    (row,) = report.rows
    assert row["pictures"] == 6 * SLICES + 150
    assert "of a camera with more than 150 pictures, 25 equal slices" in report.notes[0]
    assert row["takt_s"] == pytest.approx(86_400 / 300, rel=1)
