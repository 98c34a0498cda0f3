"""Rows for people and programs: a table, CSV or JSON."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Literal, TextIO

import click

from linewatch.csv_cell import Cell
from linewatch.plain_text import visible, visible_json
from linewatch.report_files.cells import words
from linewatch.report_files.csv_file import BETWEEN_QUOTES, csv_text

FORMATS = click.Choice(["table", "csv", "json"])
_TABLE_ROWS, _PAGE_ROWS = 200, 500


def write_rows(
    rows: Sequence[Mapping[str, Cell]],
    format_: str,
    *,
    columns: Sequence[str],
    title: str,
    empty: str,
    stream: TextIO | None = None,
) -> None:
    """Write rows. `empty` is what a table says when there are none.

    Args:
        columns: the names in each row, in their order: a CSV file has them without rows too.

    Raises:
        ValueError: the rows have others.
    """
    if rows and list(rows[0]) != list(columns):
        raise ValueError(f"these rows have the columns {list(rows[0])}, not {list(columns)}")
    stream = stream or sys.stdout
    if format_ == "json":
        stream.write(f"{visible_json(list(rows))}\n")
    elif format_ == "csv":
        stream.write(csv_text(columns, rows, "" if stream.isatty() else BETWEEN_QUOTES))
    elif rows:
        write_table(rows, title, stream)
    else:
        stream.write(f"{empty}\n")


def write_stream(
    rows: Iterator[Mapping[str, Cell]],
    format_: str,
    *,
    columns: Sequence[str],
    title: str,
    empty: str,
) -> None:
    """Write rows as they come, however many: only the table waits for all, and shows the first."""
    stream = sys.stdout
    if format_ == "table":
        shown = list(islice(rows, _TABLE_ROWS))
        more = sum(1 for _ in rows)
        write_rows(shown, format_, columns=columns, title=title, empty=empty)
        if more:
            click.echo(f"and {more} more; --format csv or json writes all of them", err=True)
    elif format_ == "json":
        before = "[\n"
        for row in rows:
            stream.write(f"{before}{visible_json(dict(row))}")
            before = ",\n"
        stream.write("[]\n" if before == "[\n" else "\n]\n")
    else:
        keep = "" if stream.isatty() else BETWEEN_QUOTES
        page = list(islice(rows, _PAGE_ROWS))  # a reader that is refused fails before the header
        stream.write(csv_text(columns, page, keep))
        while page := list(islice(rows, _PAGE_ROWS)):
            stream.write(csv_text(columns, page, keep, header=False))


def say(line: str, *, err: bool = False) -> None:
    """Print a line that may hold what others wrote: it stays one line, and only that."""
    click.echo(visible(line), err=err)


def write_table(
    rows: Sequence[Mapping[str, Cell]], title: str, stream: TextIO | None = None
) -> None:
    """Write rows, at least one, as a table for people."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    stream = stream or sys.stdout
    table = Table(title=title, title_justify="left")
    for name, cell in rows[0].items():
        table.add_column(name.replace("_", " "), justify=_side(cell))
    for row in rows:
        table.add_row(*(escape(words(name, cell)) for name, cell in row.items()))
    width = None if stream.isatty() else 200  # a pipe has no width; do not cut at 80
    Console(file=stream, width=width).print(table)


def _side(cell: Cell) -> Literal["left", "right"]:
    return "left" if isinstance(cell, str) else "right"
