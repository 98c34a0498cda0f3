"""Reports as CSV and JSON, read back."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC

from linewatch.plain_text import visible
from linewatch.report_files.formats import file_bytes
from tests.support.reports import HOSTILE, MADE, SIX, a_report, hostile_report


def test_csv_has_the_cells_of_the_report() -> None:
    text = file_bytes(a_report(), "csv", MADE).decode()
    first, second, _ = csv.DictReader(io.StringIO(text))
    assert (first["line"], first["day"], first["champion"]) == ("L0", "2026-03-02", "true")
    assert first["hour"] == "2026-03-02T06:00+01:00"
    assert (second["rate"], second["latency_p50_s"]) == ("", "2.5")


def test_no_cell_of_a_csv_begins_a_formula_or_acts() -> None:
    text = file_bytes(hostile_report(), "csv", MADE).decode()
    rows = list(csv.reader(io.StringIO(text, newline="")))[1:]
    assert len(rows) == len(HOSTILE)
    for (serial, _), meant in zip(rows, HOSTILE, strict=True):
        assert not serial.startswith(("=", "+", "-", "@", "\t", "\r", "\n"))
        assert serial.removeprefix("'") == visible(meant, "\t\r\n")
    assert not set(text) & {"\x00", "\x1b", "\u202e"}


def test_csv_without_rows_is_its_header() -> None:
    report = a_report(rows=(), blank={"line": "", "parts": 0})
    assert file_bytes(report, "csv", MADE) == b"line,parts\n"


def test_json_says_what_it_is_of() -> None:
    report = a_report()
    found = json.loads(file_bytes(report, "json", MADE))
    assert found["rows"] == report.plain_rows()
    assert found | {"rows": []} == {
        "report": "defect-rate",
        "title": "Defect rate by parts",
        "since": "2026-03-02T06:00+01:00",
        "until": "2026-03-02T09:00+01:00",
        "timezone": "Europe/Berlin",
        "notes": ["counted: whole quarter hours"],
        "made_at": "2026-03-03T07:05:09+01:00",
        "linewatch": "0.1.0",
        "rows": [],
    }


def test_the_range_is_told_by_the_plants_clock() -> None:
    found = json.loads(file_bytes(a_report(since=SIX.astimezone(UTC)), "json", MADE))
    assert found["since"] == "2026-03-02T06:00+01:00"


def test_json_keeps_every_text_as_it_came() -> None:
    found = json.loads(file_bytes(hostile_report(), "json", MADE))
    assert tuple(row["serial"] for row in found["rows"]) == HOSTILE
    assert json.loads(file_bytes(a_report(rows=()), "json", MADE))["rows"] == []
