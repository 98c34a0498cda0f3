"""The first page, and the same for a wall."""

from __future__ import annotations

from console.access.roles import Role
from console.page import NoQuery, Page, Visit
from console.pages.lines.context import Lines
from console.pages.lines.shared import watched


def read(visit: Visit, query: NoQuery) -> Lines:
    """All lines, as they are now, or were a second ago."""
    return watched(visit.site).shared.now()


PAGE = Page(
    name="lines",
    path="/",
    title="Lines",
    role=Role.VIEWER,
    query=NoQuery,
    context=Lines,
    read=read,
    template="lines/page.html",
    rows="cameras",
    menu=10,
)
WALL = Page(
    name="wall",
    path="/wall",
    title="Wall",
    role=Role.VIEWER,
    query=NoQuery,
    context=Lines,
    read=read,
    template="wall/page.html",
    rows="lines",
)
