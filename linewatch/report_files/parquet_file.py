"""A report as Parquet: typed columns, instants in UTC. Pure."""

from __future__ import annotations

import io
import json
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from db.reports.report import Cell, Report, plain
from linewatch.report_files.columns import Kind, kind_of
from linewatch.report_files.made import Made

_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.COUNT: pa.int64(),
    Kind.NUMBER: pa.float64(),
    Kind.SHARE: pa.float64(),
    Kind.TRUTH: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.INSTANT: pa.timestamp("us", tz="UTC"),
}


def parquet_bytes(report: Report, made: Made) -> bytes:
    """The file. Its schema's metadata has the keys of `Made.about`, values other than text as JSON.

    Text is kept as it came, control characters too; what is no Unicode is written as its escape.
    """
    columns: dict[str, Any] = {}
    for name in report.columns:
        cells = [row[name] for row in report.rows]
        held = any(cell is not None for cell in cells)
        kind = kind_of(name, cells if held else [report.blank.get(name)])
        values = [_text(cell) for cell in cells] if kind is Kind.TEXT else cells
        columns[name] = pa.array(values, _TYPES[kind])
    about = {
        name: value if isinstance(value, str) else json.dumps(value)
        for name, value in made.about(report).items()
    }
    buffer = io.BytesIO()
    table = pa.table(columns).replace_schema_metadata({k: _text(v) for k, v in about.items()})
    parquet.write_table(table, buffer, compression="zstd")
    return buffer.getvalue()


def _text(cell: Cell) -> str | None:
    """A cell as text that UTF-8 has bytes for."""
    text = plain(cell)
    return None if text is None else str(text).encode("utf-8", "backslashreplace").decode()
