"""One report: its filters, its chart, its rows, and its files."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response
from pydantic import Field

from console.access.roles import Role, opened_to
from console.page import Context, Page, Visit, visit
from console.pages.reports.asked import AskedReport
from console.pages.reports.catalogue import CATALOGUE, Kind
from console.pages.reports.chart import ReportChart, chart_of
from console.pages.reports.drill import parts_behind
from console.refusals import NotThere
from db import products
from db.inspections import stations
from db.reports.long_tables import refuse_long_table
from db.reports.report import Report, plain
from linewatch import __version__
from linewatch.csv_cell import Cell
from linewatch.errors import ReportError
from linewatch.nearest import did_you_mean
from linewatch.report_files.formats import NEEDS, file_bytes
from linewatch.report_files.made import Made

_MOST_DRAWN = 400  # points that a person can tell apart
_MOST_ROWS = 200  # shown; files have all
_MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "json": "application/json",
    "parquet": "application/vnd.apache.parquet",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "html": "text/html; charset=utf-8",
}


class Filter(Context):
    """A filter of the form."""

    name: str = Field(description="As in the address.")
    value: str = Field(description="What it is set to; empty: it does not narrow.")
    known: list[str] = Field(description="Names that there are, to choose from.")


class ReportPage(Context):
    """A report as `linewatch report NAME --format json` has it, and what is needed to show it."""

    name: str = Field(description="As in `linewatch report NAME`.")
    title: str = Field(description="For people.")
    says: str = Field(description="What the report answers.")
    filters: list[Filter] = Field(description="What it can be narrowed to.")
    groups: list[str] = Field(description="What it can be grouped by.")
    by: list[str] = Field(description="What it is grouped by.")
    since: str | None = Field(description="From when the rows count; ISO 8601, the plant's clock.")
    until: str | None = Field(description="Up to when, exclusive.")
    columns: list[str] = Field(description="Names of the columns, in order.")
    rows: list[dict[str, Cell]] = Field(description="The rows; shares are from 0 to 1.")
    addresses: list[str] = Field(description="For each row, where its parts are; empty: nowhere.")
    notes: list[str] = Field(description="What the rows alone do not say.")
    empty: str = Field(description="The sentence that stands for the rows where there are none.")
    problem: str | None = Field(description="Why there is no report: what was asked for is not.")
    chart: ReportChart | None = Field(description="What is drawn of it.")
    left_out: int = Field(description="Rows that are not shown; files have all of them.")
    formats: list[str] = Field(description="Endings of the files that can be had.")
    query: str = Field(description="The query of the address, for the files.")


def read(visit: Visit, asked: AskedReport) -> ReportPage:
    """The report; what cannot be answered is said on the page, beside the form."""
    kind = _kind(asked.report)
    by = _groups(kind, asked)
    try:
        refuse_long_table(
            visit.site.engine,
            by,
            *asked.instants(visit.site.settings.timezone),
            of_pictures=kind.of_pictures,
        )
        report, problem = kind.make(visit, asked, by), None
    except ReportError as error:
        report, problem = Report(kind.name, kind.title, empty=""), str(error)
    shown = replace(report, rows=report.rows[:_MOST_ROWS]).plain_rows()
    drills = not kind.of_pictures and "parts" in report.columns
    behind = (
        [parts_behind(asked, report, row) for row in report.rows[:_MOST_DRAWN]] if drills else []
    )
    return ReportPage(
        name=kind.name,
        title=kind.title,
        says=kind.says,
        filters=_filters(visit, kind, asked),
        groups=list(kind.groups),
        by=list(by),
        since=None if report.since is None else str(plain(report.since)),
        until=None if report.until is None else str(plain(report.until)),
        columns=list(report.columns),
        rows=shown,
        addresses=behind[: len(shown)] if drills else [""] * len(shown),
        notes=list(report.notes),
        empty=report.empty,
        problem=problem,
        chart=chart_of(report, behind) if drills else None,
        left_out=len(report.rows) - len(shown),
        formats=list(NEEDS),
        query=asked.address(),
    )


def _kind(name: str) -> Kind:
    if name not in CATALOGUE:
        raise NotThere(f"there is no report {name!r}{did_you_mean(name, CATALOGUE)}")
    return CATALOGUE[name]


def _groups(kind: Kind, asked: AskedReport) -> tuple[str, ...]:
    return asked.groups() or kind.usual


def _filters(visit: Visit, kind: Kind, asked: AskedReport) -> list[Filter]:
    known: dict[str, list[str]] = {}
    if "line" in kind.narrowed:
        known["line"] = [line.code for line in stations.all_lines(visit.site.engine)]
    if "product" in kind.narrowed:
        known["product"] = products.codes(visit.site.engine)
    return [
        Filter(
            name=name,
            value=getattr(asked, "class_" if name == "class" else name) or "",
            known=known.get(name, []),
        )
        for name in kind.narrowed
    ]


PAGE = Page(
    name="reports",
    path="/reports/{report}",
    title="Report",
    role=Role.VIEWER,
    query=AskedReport,
    context=ReportPage,
    read=read,
    template="reports/report.html",
)
router = APIRouter()


@router.get(
    "/reports/{report}/file.{ending}",
    openapi_extra=opened_to(Role.VIEWER),
    response_class=Response,
    include_in_schema=False,
)
@router.get(
    "/api/v1/reports/{report}/file.{ending}",
    openapi_extra=opened_to(Role.VIEWER),
    response_class=Response,
    summary="A report as a file: csv, json, parquet, xlsx or html",
    operation_id="read_report_file",
)
def file(request: Request, asked: Annotated[AskedReport, Depends()], ending: str) -> Response:
    """All rows of a report, as `linewatch report NAME --out FILE` writes them."""
    if ending not in NEEDS:
        known = ", ".join(NEEDS)
        raise NotThere(f"a report is no {ending!r}; ask for {known}{did_you_mean(ending, NEEDS)}")
    here, kind = visit(request), _kind(asked.report)
    report = kind.make(here, asked, _groups(kind, asked))
    now = datetime.now(UTC).astimezone(here.site.settings.timezone)
    return Response(
        file_bytes(report, ending, Made(now, __version__)),
        media_type=_MEDIA[ending],
        headers={"content-disposition": f'attachment; filename="{kind.name}.{ending}"'},
    )
