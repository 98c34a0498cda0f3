"""Reports as workbooks: what Excel would read, from the XML itself."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree as ET

import pytest

from db.reports.report import Report
from linewatch.errors import ReportError
from linewatch.plain_text import visible
from linewatch.report_files.formats import file_bytes
from tests.support.reports import (
    BERLIN,
    HOSTILE,
    MADE,
    UTC_NOON,
    a_report,
    hostile_report,
    instants,
)

pytest.importorskip("xlsxwriter", reason="`pip install linewatch[reports]`")
NS = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - Excel's, of no zone


class Book:
    """A workbook's sheets as `{cell: (value, number format, quoted)}`."""

    def __init__(self, report: Report) -> None:
        archive = zipfile.ZipFile(io.BytesIO(file_bytes(report, "xlsx", MADE)))
        self._xml = {name: archive.read(name) for name in archive.namelist()}
        root = ET.fromstring(self._xml["xl/sharedStrings.xml"])
        self._texts = [
            unescaped("".join(t.text or "" for t in one.iterfind(".//x:t", NS)))
            for one in root.iterfind("x:si", NS)
        ]
        styles = ET.fromstring(self._xml["xl/styles.xml"])
        forms = {
            one.get("numFmtId"): one.get("formatCode") for one in styles.iterfind(".//x:numFmt", NS)
        }
        forms |= {"0": "General", "1": "0", "10": "0.00%"}
        self._styles = [
            (forms[one.get("numFmtId")], one.get("quotePrefix") == "1")
            for one in styles.iterfind("x:cellXfs/x:xf", NS)
        ]
        self.sheets = [self.sheet(number) for number in (1, 2)]

    def root(self, number: int) -> ET.Element:
        return ET.fromstring(self._xml[f"xl/worksheets/sheet{number}.xml"])

    def sheet(self, number: int) -> dict[str, tuple[object, str, bool]]:
        found = {}
        for cell in self.root(number).iterfind(".//x:c", NS):
            assert cell.find("x:f", NS) is None, "a formula"
            raw = cell.findtext("x:v", "", NS)
            kind = cell.get("t", "n")
            value: object = self._texts[int(raw)] if kind == "s" else float(raw)
            value = bool(value) if kind == "b" else value
            found[str(cell.get("r"))] = (value, *self._styles[int(cell.get("s", "0"))])
        return found

    def column(self, letter: str) -> list[object]:
        return [value for (key, (value, *_)) in self.sheets[0].items() if key[0] == letter][1:]


def unescaped(text: str) -> str:
    """As Excel shows it: it writes characters that XML has not, and what looks so, as _xHHHH_."""
    return re.sub("_x([0-9A-F]{4})_", lambda found: chr(int(found[1], 16)), text)


def serial(at: datetime) -> float:
    return (at - EPOCH) / timedelta(days=1)


def test_cells_are_numbers_dates_and_shares() -> None:
    book = Book(a_report())
    first = book.sheets[0]
    assert [first[f"{letter}1"][0] for letter in "ABCDE"] == [
        "line", "day", "hour", "parts", "rate"
    ]  # fmt: skip
    assert first["A2"][:2] == ("L0", "General")
    assert first["B2"][:2] == (serial(datetime(2026, 3, 2)), "yyyy-mm-dd")  # noqa: DTZ001
    value, form, _ = first["C3"]
    assert form == "yyyy-mm-dd hh:mm:ss"
    assert value == pytest.approx(serial(datetime(2026, 3, 2, 7)))  # noqa: DTZ001 - plant's clock
    assert first["D2"][:2] == (200, "0")
    assert first["E4"][:2] == (0.025, "0.00%")
    assert "E3" not in first
    assert first["H2"][:2] == (1.5, "0.000")
    assert (first["I2"][0], first["I3"][0]) == (True, False)


def test_the_header_is_frozen() -> None:
    pane = Book(a_report()).root(1).find(".//x:pane", NS)
    assert pane is not None
    assert (pane.get("state"), pane.get("ySplit"), pane.get("topLeftCell")) == ("frozen", "1", "A2")


def test_texts_stay_texts_and_formulas_are_quoted() -> None:
    book = Book(hostile_report())
    for number, meant in enumerate(HOSTILE, start=2):
        value, _, quoted = book.sheets[0][f"A{number}"]
        assert value == visible(meant, keep="\n")
        assert quoted == meant.startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_text_longer_than_a_cell_is_cut_and_says_so() -> None:
    (value,) = Book(a_report({"serial": "\U000e0001" * 4096, "parts": 1})).column("A")
    assert isinstance(value, str)
    assert (len(value), value[-1]) == (32_767, "…")


def test_the_second_sheet_says_what_it_is_of() -> None:
    about = Book(a_report()).sheets[1]
    rows = {about[f"A{n}"][0]: about[f"B{n}"][0] for n in range(1, len(about) // 2 + 1)}
    assert rows == {
        "report": "defect-rate",
        "title": "Defect rate by parts",
        "since": "2026-03-02T06:00+01:00",
        "until": "2026-03-02T09:00+01:00",
        "timezone": "Europe/Berlin",
        "made_at": "2026-03-03T07:05:09+01:00",
        "linewatch": "0.1.0",
        "rows": "3",
        "note": "counted: whole quarter hours",
    }


def test_the_hour_that_comes_twice_is_told_apart() -> None:
    twice = [UTC_NOON.replace(hour=hour).astimezone(BERLIN) for hour in (0, 1)]
    assert Book(instants(*twice)).column("A") == [
        "2026-10-25T02:00+02:00", "2026-10-25T02:00+01:00"
    ]  # fmt: skip
    assert Book(instants(twice[0])).column("A") == [
        pytest.approx(serial(datetime(2026, 10, 25, 2)))  # noqa: DTZ001
    ]


def test_a_time_before_excels_first_day_is_text() -> None:
    assert Book(instants(datetime(1601, 1, 1, tzinfo=UTC))).column("A") == [
        "1601-01-01T00:00+00:00"
    ]
    book = Book(a_report({"day": date(1, 1, 1)}))
    assert book.column("A") == ["0001-01-01"]


def test_a_report_without_rows_says_so() -> None:
    book = Book(a_report(rows=(), empty="nothing was made"))
    assert book.sheets[0]["A1"][0] == "nothing was made"


def test_more_rows_than_a_sheet_holds_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("linewatch.report_files.xlsx_file.MOST_ROWS", 2)
    with pytest.raises(ReportError, match=r"3 rows, and a sheet of Excel holds 2; write \.csv"):
        file_bytes(a_report(), "xlsx", MADE)
