"""The reports there are."""

from __future__ import annotations

from pydantic import Field

from console.access.roles import Role
from console.page import Context, NoQuery, Page, Visit
from console.pages.reports.catalogue import CATALOGUE


class ReportEntry(Context):
    """A report."""

    name: str = Field(description="As in `linewatch report NAME`, and in the page's address.")
    title: str = Field(description="For people.")
    says: str = Field(description="What it answers.")


class ReportList(Context):
    """The reports that a plant can be asked for."""

    reports: list[ReportEntry] = Field(description="In the order in which people ask.")


def read(visit: Visit, query: NoQuery) -> ReportList:
    """The catalogue."""
    kinds = CATALOGUE.values()
    return ReportList(
        reports=[ReportEntry(name=kind.name, title=kind.title, says=kind.says) for kind in kinds]
    )


PAGE = Page(
    name="reports",
    path="/reports",
    title="Reports",
    role=Role.VIEWER,
    query=NoQuery,
    context=ReportList,
    read=read,
    template="reports/index.html",
    menu=30,
)
