"""Rows for people and programs: a table, CSV or JSON."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from typing import Literal, TextIO

import click

Cell = str | int | float | bool | None
FORMATS = click.Choice(["table", "csv", "json"])
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n")
_SHARES = ("rate", "share", "cumulative", "_low", "_high")


def write_rows(
    rows: Sequence[Mapping[str, Cell]],
    format_: str,
    *,
    title: str,
    empty: str,
    stream: TextIO | None = None,
) -> None:
    """Write rows that have the same columns. `empty` is what a table says when there are none."""
    stream = stream or sys.stdout
    if format_ == "json":
        json.dump(list(rows), stream, indent=2, ensure_ascii=False)
        stream.write("\n")
    elif format_ == "csv":
        _write_csv(rows, stream)
    elif rows:
        _write_table(rows, title, stream)
    else:
        stream.write(f"{empty}\n")


def csv_cell(value: Cell) -> str:
    """A cell that no spreadsheet runs.

    Text that begins like a formula gets a leading apostrophe (OWASP, "CSV Injection"); numbers,
    negative ones too, stay as they are.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    risky = isinstance(value, str) and text.startswith(_FORMULA_STARTS) and not _numeric(text)
    return f"'{text}" if risky else text


def _numeric(text: str) -> bool:
    digits = text.removeprefix("-").removeprefix("+")
    return digits.isascii() and digits.replace(".", "", 1).isdigit() and text[:2] not in ("-+",)


def _write_csv(rows: Sequence[Mapping[str, Cell]], stream: TextIO) -> None:
    if not rows:
        return
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(rows[0].keys())
    writer.writerows([csv_cell(cell) for cell in row.values()] for row in rows)


def _write_table(rows: Sequence[Mapping[str, Cell]], title: str, stream: TextIO) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    table = Table(title=title, title_justify="left")
    for name, cell in rows[0].items():
        table.add_column(name.replace("_", " "), justify=_side(cell))
    for row in rows:
        table.add_row(*(escape(_words(name, cell)) for name, cell in row.items()))
    width = None if stream.isatty() else 200  # a pipe has no width; do not cut at 80
    Console(file=stream, width=width).print(table)


def _side(cell: Cell) -> Literal["left", "right"]:
    return "left" if isinstance(cell, str) else "right"


def _words(name: str, cell: Cell) -> str:
    if cell is None:
        return "–"
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return f"{cell:.2%}" if name.endswith(_SHARES) else f"{cell:.3f}"
    return str(cell)
