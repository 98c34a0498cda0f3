"""Which file a report is written to, by the ending of its name."""

from __future__ import annotations

from pathlib import Path

from db.reports.report import Report
from linewatch.errors import ReportError
from linewatch.extras import need
from linewatch.nearest import did_you_mean
from linewatch.report_files.made import Made

# What each needs that the base install has not.
NEEDS: dict[str, tuple[str, ...]] = {
    "csv": (),
    "json": (),
    "parquet": ("pyarrow",),
    "xlsx": ("xlsxwriter",),
    "html": (),
}


def format_of(path: Path) -> str:
    """The format that a file's name asks for.

    Raises:
        ReportError: no format has this ending.
        ConfigurationError: its packages are not installed; says what to install.
    """
    ending = path.suffix.removeprefix(".").lower()
    if ending not in NEEDS:
        known = ", ".join(f".{name}" for name in NEEDS)
        shown = f"ends with {path.suffix!r}" if ending else "has no ending"
        raise ReportError(
            f"{str(path)!r} {shown}; a report is written to {known}{did_you_mean(ending, NEEDS)}"
        )
    need(*NEEDS[ending])
    return ending


def file_bytes(report: Report, format_: str, made: Made) -> bytes:
    """A report as the bytes of a file.

    Args:
        report: what to write.
        format_: from `format_of`.
        made: when, and with what.

    Raises:
        ReportError: the format cannot hold it.
    """
    if format_ == "parquet":
        from linewatch.report_files.parquet_file import parquet_bytes

        return parquet_bytes(report, made)
    if format_ == "xlsx":
        from linewatch.report_files.xlsx_file import xlsx_bytes

        return xlsx_bytes(report, made)
    return _text(report, format_, made).encode("utf-8", "backslashreplace")


def _text(report: Report, format_: str, made: Made) -> str:
    from linewatch.report_files.csv_file import csv_text
    from linewatch.report_files.html_file import html_text
    from linewatch.report_files.json_file import json_text

    if format_ == "csv":
        return csv_text(report.columns, report.plain_rows())
    return json_text(report, made) if format_ == "json" else html_text(report, made)
