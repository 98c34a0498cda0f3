"""What is drawn of a report: a Pareto's bars, or rates with their intervals. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from itertools import takewhile
from typing import Any

from markupsafe import Markup
from pydantic import Field

from console.drawing import DrawnPoint, drawing
from console.page import Context
from db.reports.report import Cell, Report, plain

_PARETO = {"class", "parts", "cumulative"}
_RATES = {"rate", "rate_low", "rate_high"}


class Drawn(DrawnPoint):
    """A bar or point."""

    drawn = ("label", "value", "low", "high", "running")

    label: str = Field(description="What it is of.")
    value: float | None = Field(description="Parts of a Pareto's bar, else a rate from 0 to 1.")
    low: float | None = Field(default=None, description="Lower end of the 95 % interval.")
    high: float | None = Field(default=None, description="Upper end of it.")
    running: float | None = Field(default=None, description="Running share of a Pareto.")
    address: str = Field(description="Where the parts behind it are listed.")


class ReportChart(Context):
    """What is drawn."""

    kind: str = Field(description="'pareto' or 'rates'.")
    points: list[Drawn] = Field(description="In the order of the rows.")
    left_out: int = Field(description="Rows that are not drawn, being too many.")

    @property
    def drawing(self) -> Markup:
        """As its script reads it."""
        return drawing(self.kind, self.points)


def chart_of(report: Report, addresses: Sequence[str]) -> ReportChart | None:
    """The chart of a report; None where its columns give none, or one row leaves no comparison.

    Args:
        report: its first rows are drawn, so many as have an address.
        addresses: of the parts behind each row.
    """
    columns = set(report.columns)
    if not report.rows or not (columns >= _PARETO or columns >= _RATES):
        return None
    pareto = columns >= _PARETO
    if not pareto and len(report.rows) < 2:
        return None
    names = ["class"] if pareto else _about(report.columns, report.rows[0])
    points = [
        Drawn(
            label=" ".join(str(plain(row[name])) for name in names) or report.title,
            value=_number(row["parts" if pareto else "rate"]),
            low=None if pareto else _number(row["rate_low"]),
            high=None if pareto else _number(row["rate_high"]),
            running=_number(row["cumulative"]) if pareto else None,
            address=address,
        )
        for row, address in zip(report.rows, addresses, strict=False)
    ]
    kind = "pareto" if pareto else "rates"
    return ReportChart(kind=kind, points=points, left_out=len(report.rows) - len(points))


def _about(columns: Sequence[str], row: Any) -> list[str]:
    """The columns that say what a row is of: texts and times, up to the first figure."""
    return list(takewhile(lambda name: isinstance(row[name], str | date), columns))


def _number(cell: Cell) -> float | None:
    figure: Any = cell
    return None if cell is None else float(figure)
