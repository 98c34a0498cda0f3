"""A report as JSON: its rows, and beside them what it is of. Pure."""

from __future__ import annotations

from db.reports.report import Report
from linewatch.plain_text import visible_json
from linewatch.report_files.made import Made


def json_text(report: Report, made: Made) -> str:
    """One object; `rows` are what `--format json` prints."""
    return visible_json({**made.about(report), "rows": report.plain_rows()}) + "\n"
