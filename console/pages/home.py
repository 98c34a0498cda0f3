"""The first page: the lines there are."""

from __future__ import annotations

from pydantic import Field

from console.access.roles import Role
from console.page import Context, NoQuery, Page, Visit
from db.inspections import stations


class Lines(Context):
    """The lines of the plant."""

    lines: list[str] = Field(description="Codes of the lines that ever sent a picture, sorted.")


def read(visit: Visit, query: NoQuery) -> Lines:
    """All lines."""
    return Lines(lines=[line.code for line in stations.all_lines(visit.site.engine)])


PAGE = Page(
    name="lines",
    path="/",
    title="Lines",
    role=Role.VIEWER,
    query=NoQuery,
    context=Lines,
    read=read,
    template="home/page.html",
    menu=10,
)
