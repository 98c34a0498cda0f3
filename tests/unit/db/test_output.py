from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from linewatch.commands._output import write_rows, write_table
from linewatch.csv_cell import csv_cell


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        ("\r=1", "'\r=1"),
        ("-", "'-"),
        ("--5", "'--5"),
        ("-5", "-5"),
        ("+49.5", "+49.5"),
        (-5, "-5"),
        (-0.25, "-0.25"),
        ("good", "good"),
        (None, ""),
        (True, "true"),
    ],
)
def test_cells(value: object, cell: str) -> None:
    assert csv_cell(value) == cell  # type: ignore[arg-type]


@given(st.text())
def test_no_text_begins_like_a_formula(text: str) -> None:
    cell = csv_cell(text)
    if cell.startswith(("=", "@", "\t", "\r", "\n")):
        raise AssertionError(cell)
    if cell.startswith(("+", "-")):
        float(cell)  # a number, which no spreadsheet runs


def test_csv_can_be_read_back() -> None:
    rows = [{"lot": 'a,"b"\nc', "count": 1, "rate": None}]
    stream = io.StringIO()
    write_rows(rows, "csv", columns=("lot", "count", "rate"), title="", empty="", stream=stream)
    read = list(csv.DictReader(io.StringIO(stream.getvalue())))
    assert read == [{"lot": 'a,"b"\nc', "count": "1", "rate": ""}]


def test_a_table_shows_markup_as_text() -> None:
    stream = io.StringIO()
    write_table([{"lot": "[red]x[/red]"}], "t", stream)
    assert "[red]x[/red]" in stream.getvalue()


def test_a_list_without_rows_has_its_columns_in_csv() -> None:
    stream = io.StringIO()
    write_rows([], "csv", columns=("lot", "count"), title="t", empty="none", stream=stream)
    assert stream.getvalue().splitlines() == ["lot,count"]


def test_other_columns_than_a_list_says_are_refused() -> None:
    with pytest.raises(ValueError, match=r"these rows have the columns \['lot'\], not \['line'\]"):
        write_rows([{"lot": "L"}], "csv", columns=("line",), title="", empty="")
