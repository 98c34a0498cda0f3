"""A report as a workbook of Excel: the rows on one sheet, what they are of on another. Pure."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import UTC
from typing import Any

import xlsxwriter

from db.reports.report import Cell, Report, plain
from linewatch.csv_cell import begins_like_a_formula
from linewatch.errors import ReportError
from linewatch.plain_text import visible
from linewatch.report_files.columns import Kind, kind_of
from linewatch.report_files.made import Made

MOST_ROWS = 1_048_575  # of a sheet, below its header
_LONGEST = 32_767  # characters of a cell
_FIRST_YEAR = 1900
_WIDEST = 60
# Nothing that looks like something else is made so: the writers below say what each cell is.
_OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_FORMATS = {
    Kind.COUNT: "0",
    Kind.NUMBER: "0.000",
    Kind.SHARE: "0.00%",
    Kind.DATE: "yyyy-mm-dd",
    Kind.INSTANT: "yyyy-mm-dd hh:mm:ss",
}


def xlsx_bytes(report: Report, made: Made) -> bytes:
    """The workbook. Excel knows no time zones: instants are what the plant's clock showed.

    Where it showed one time twice in a column, that column is text and has the offsets.

    Raises:
        ReportError: more rows than a sheet holds.
    """
    if len(report.rows) > MOST_ROWS:
        raise ReportError(
            f"the report has {len(report.rows)} rows, and a sheet of Excel holds {MOST_ROWS}; "
            "write .csv or .parquet, or group by less"
        )
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, _OPTIONS) as book:
        book.set_properties({"title": visible(report.title), "created": _wall(made.at)})
        _write_rows(_Sheet(book, "Report"), report)
        _write_about(_Sheet(book, "About"), report, made)
    return buffer.getvalue()


class _Sheet:
    """A sheet, and the formats of its book."""

    def __init__(self, book: Any, name: str) -> None:
        self.sheet = book.add_worksheet(name)
        self.bold = book.add_format({"bold": True, "bottom": 1})
        self._formats = {
            kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()
        }
        # Excel would make a formula of it as soon as somebody edits the cell.
        self._quoted = book.add_format({"quote_prefix": True})

    def text(self, row: int, column: int, text: str, form: Any = None) -> None:
        shown = visible(text, keep="\n")
        if len(shown) > _LONGEST:
            shown = shown[: _LONGEST - 1] + "…"
        if form is None and begins_like_a_formula(text):
            form = self._quoted
        self.sheet.write_string(row, column, shown, form)

    def cell(self, row: int, column: int, cell: Cell, kind: Kind) -> None:
        if cell is None:
            return
        if kind is Kind.TRUTH:
            self.sheet.write_boolean(row, column, cell)
        elif kind is Kind.DATE:
            self.sheet.write_datetime(row, column, cell, self._formats[kind])
        elif kind is Kind.INSTANT:
            self.sheet.write_datetime(row, column, _wall(cell), self._formats[kind])
        elif kind is Kind.TEXT:
            self.text(row, column, str(plain(cell)))
        else:
            self.sheet.write_number(row, column, cell, self._formats[kind])


def _write_rows(sheet: _Sheet, report: Report) -> None:
    if not report.rows:
        sheet.text(0, 0, report.empty)
        return
    for column, name in enumerate(report.columns):
        cells = [row[name] for row in report.rows]
        kind = _kind_in_excel(name, cells)
        sheet.text(0, column, name, sheet.bold)
        for place, cell in enumerate(cells, start=1):
            sheet.cell(place, column, cell, kind)
        longest = max(len(name) + 2, *(len(str(plain(cell))) for cell in cells))
        sheet.sheet.set_column(column, column, min(longest + 1, _WIDEST))
    sheet.sheet.freeze_panes(1, 0)
    sheet.sheet.autofilter(0, 0, len(report.rows), len(report.columns) - 1)
    sheet.sheet.repeat_rows(0)
    sheet.sheet.set_paper(9)  # A4
    sheet.sheet.set_landscape()
    sheet.sheet.fit_to_pages(1, 0)


def _kind_in_excel(name: str, cells: Sequence[Cell]) -> Kind:
    kind = kind_of(name, cells)
    if kind not in (Kind.DATE, Kind.INSTANT):
        return kind
    held: list[Any] = [cell for cell in cells if cell is not None]
    if any(cell.year < _FIRST_YEAR for cell in held):
        return Kind.TEXT
    if kind is Kind.INSTANT:  # in UTC, since Python takes the two for equal in their own zone
        instants = {cell.astimezone(UTC) for cell in held}
        return Kind.TEXT if len({_wall(cell) for cell in held}) < len(instants) else kind
    return kind


def _wall(at: Any) -> Any:
    """What the clock showed; `at` has the plant's time zone."""
    return at.replace(tzinfo=None, fold=0)


def _write_about(sheet: _Sheet, report: Report, made: Made) -> None:
    about = made.about(report)
    notes = about.pop("notes")
    lines = [(name, value or "") for name, value in about.items()]
    lines += [("rows", str(len(report.rows)))]
    lines += [("note", note) for note in notes]
    for row, (name, value) in enumerate(lines):
        sheet.text(row, 0, name, sheet.bold)
        sheet.text(row, 1, value)
    sheet.sheet.set_column(0, 0, 12)
    sheet.sheet.set_column(1, 1, _WIDEST)
