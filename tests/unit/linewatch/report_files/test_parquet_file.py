"""Reports as Parquet, read back with pyarrow."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, timedelta
from typing import Any

import pytest

from db.reports.report import Report
from linewatch.report_files.formats import file_bytes
from tests.support.reports import (
    BERLIN,
    HOSTILE,
    MADE,
    SIX,
    UTC_NOON,
    a_report,
    hostile_report,
    instants,
    row,
)

pa = pytest.importorskip("pyarrow", reason="`pip install linewatch[reports]`")


def read(report: Report) -> Any:
    from pyarrow import parquet

    return parquet.read_table(io.BytesIO(file_bytes(report, "parquet", MADE)))


def test_columns_have_their_types() -> None:
    assert dict(zip(read(a_report()).schema.names, read(a_report()).schema.types, strict=True)) == {
        "line": pa.string(),
        "day": pa.date32(),
        "hour": pa.timestamp("us", tz="UTC"),
        "parts": pa.int64(),
        "rate": pa.float64(),
        "rate_low": pa.float64(),
        "rate_high": pa.float64(),
        "latency_p50_s": pa.float64(),
        "champion": pa.bool_(),
    }


def test_cells_come_back_and_instants_are_utc() -> None:
    found = read(a_report()).to_pylist()
    assert found == [row(0), row(1), row(2)]
    assert found[1]["day"] == date(2026, 3, 3)
    hour = found[1]["hour"]
    assert hour == SIX + timedelta(hours=1)
    assert hour.utcoffset() == timedelta(0)
    assert hour.astimezone(UTC).hour == 6


def test_the_hour_that_comes_twice_is_two_instants() -> None:
    noon = [UTC_NOON.replace(hour=hour) for hour in (0, 1)]
    found = read(instants(*(at.astimezone(BERLIN) for at in noon))).column("hour").to_pylist()
    assert found == noon


def test_a_column_without_values_keeps_its_type() -> None:
    schema = read(a_report({"rate": None, "oldest_at": None, "lot": None})).schema
    assert schema.types == [pa.float64(), pa.timestamp("us", tz="UTC"), pa.string()]


def test_the_file_says_what_it_is_of() -> None:
    about = {k.decode(): v.decode() for k, v in read(a_report()).schema.metadata.items()}
    assert about["title"] == "Defect rate by parts"
    assert (about["since"], about["until"]) == ("2026-03-02T06:00+01:00", "2026-03-02T09:00+01:00")
    assert (about["linewatch"], about["timezone"]) == ("0.1.0", "Europe/Berlin")
    assert json.loads(about["notes"]) == ["counted: whole quarter hours"]
    whole = read(a_report(since=None, rows=()))
    assert (whole.num_rows, whole.schema.metadata[b"since"]) == (0, b"null")


def test_texts_are_kept_as_they_came() -> None:
    found = read(hostile_report()).column("serial").to_pylist()
    assert found == [text.replace("\ud800", r"\ud800") for text in HOSTILE]
