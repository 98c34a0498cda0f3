"""Reports to write: ordinary ones, and some whose texts are meant to do harm."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from db.reports.report import Cell, Report
from linewatch.report_files.made import Made

BERLIN = ZoneInfo("Europe/Berlin")
MADE = Made(datetime(2026, 3, 3, 7, 5, 9, tzinfo=BERLIN), "0.1.0")
SIX = datetime(2026, 3, 2, 6, 0, tzinfo=BERLIN)
HOSTILE = (
    '=HYPERLINK("http://x")',
    "+1+cmd|' /C calc'!A0",
    "-2+3",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "nul\x00 bell\x07 escape\x1b[2J",
    "two\nlines",
    "right\u202eto left",
    "</td><script>alert(1)</script>",
    '" onload="x',
    "&amp; _x0041_ ]]>",
    "lone \ud800 surrogate",
    "S" * 4096,
    "\x01" * 4096,
    "",
)


def a_report(*rows: dict[str, Cell], **fields: Any) -> Report:
    """A report of these rows, or of one of each kind of cell."""
    usual: dict[str, Any] = {
        "name": "defect-rate",
        "title": "Defect rate by parts",
        "rows": rows or (row(0), row(1), row(2)),
        "since": SIX,
        "until": SIX + timedelta(hours=3),
        "notes": ("counted: whole quarter hours",),
    }
    return Report(**{**usual, **fields})


def row(number: int) -> dict[str, Cell]:
    """A row that has a cell of every kind, and some that are None."""
    decided = number != 1
    return {
        "line": f"L{number}",
        "day": date(2026, 3, 2 + number),
        "hour": SIX + timedelta(hours=number),
        "parts": 200 + number,
        "rate": 0.0125 * number if decided else None,
        "rate_low": 0.001 if decided else None,
        "rate_high": 0.2 if decided else None,
        "latency_p50_s": 1.5 + number,
        "champion": number == 0,
    }


def hostile_report() -> Report:
    """Every hostile text as a row's serial, and as a note."""
    rows = tuple({"serial": text, "parts": 1} for text in HOSTILE)
    return a_report(*rows, title="<b>title</b>", notes=HOSTILE, empty="<i>none</i>")


def instants(*at: datetime) -> Report:
    """A report of a column of instants."""
    return a_report(*({"hour": one} for one in at))


UTC_NOON = datetime(2026, 10, 25, 12, tzinfo=UTC)
