"""A page: one typed context, shown as HTML, as JSON under /api/v1, and as CSV."""

# No `from __future__ import annotations`: FastAPI reads the types of the functions made here.
import csv
import io
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar, get_args

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, Response
from jinja2_fragments import BlockNotFoundError
from pydantic import BaseModel, ConfigDict

from console.access.roles import Role, opened_to
from console.access.visitor import Visitor, visitor_of
from console.refusals import NotThere
from console.site import Site, site_of
from console.words import language_of
from linewatch.csv_cell import csv_cell

API = "/api/v1"


class Context(BaseModel):
    """All that a page shows. Each field has a description, which the API's document shows."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class NoQuery:
    """The address says nothing more than the page."""


@dataclass(frozen=True, slots=True)
class Visit:
    """Who looks at a page of which site, in which language."""

    site: Site
    visitor: Visitor
    language: str


Q = TypeVar("Q")
C = TypeVar("C", bound=Context)


@dataclass(frozen=True)
class Page(Generic[Q, C]):
    """One page.

    Attributes:
        name: its JSON lies under /api/v1/NAME (with the path's parameters behind it).
        path: its address, such as `/parts/{product}/{part}`.
        title: in English; also the word in the menu.
        role: who may look.
        query: a frozen dataclass of what the address says: the path's parameters by their names,
            all others as the query's. `Annotated[str, Query(description=...)]` documents them.
        context: what it shows.
        read: makes the context; raises `NotThere` where there is no such thing.
        template: `FOLDER/page.html`, which extends `base.html`.
        rows: the context's field that is a list of contexts of plain fields: the rows of the CSV.
        menu: its place in the menu; None: not in the menu.
    """

    name: str
    path: str
    title: str
    role: Role
    query: type[Q]
    context: type[C]
    read: Callable[[Visit, Q], C]
    template: str
    rows: str | None = None
    menu: int | None = None

    @property
    def api_path(self) -> str:
        """Where its JSON lies."""
        _, brace, parameters = self.path.partition("/{")
        return f"{API}/{self.name}{brace}{parameters}"


def page_router(page: Page[Any, Any]) -> APIRouter:
    """The routes of a page: HTML, JSON, and CSV where it has rows."""
    router = APIRouter()
    extra = opened_to(page.role)
    asked: Any = Annotated[page.query, Depends()]

    def html(request: Request, query: asked, block: str | None = None) -> HTMLResponse:
        return show(request, page.template, page.read(visit(request), query), block=block)

    def as_json(request: Request, query: asked) -> Any:
        return page.read(visit(request), query)

    def as_csv(request: Request, query: asked) -> Response:
        context = page.read(visit(request), query)
        columns = row_fields(page.context, page.rows or "")
        return csv_response(page.name, columns, getattr(context, page.rows or ""))

    operation = "read_" + re.sub(r"\W+", "_", page.api_path.removeprefix(API)).strip("_")
    router.add_api_route(
        page.path, html, response_class=HTMLResponse, include_in_schema=False, openapi_extra=extra
    )
    if page.rows:  # before the JSON, whose last parameter would take `.csv` into its value
        router.add_api_route(
            f"{page.api_path}.csv",
            as_csv,
            response_class=Response,
            openapi_extra=extra,
            operation_id=f"{operation}_csv",
            summary=f"{page.title}, as CSV",
        )
    router.add_api_route(
        page.api_path,
        as_json,
        response_model=page.context,
        openapi_extra=extra,
        name=page.name,
        operation_id=operation,
        summary=page.title,
        description=page.context.__doc__,
    )
    return router


def visit(request: Request) -> Visit:
    """Who asks, of which site, in which language."""
    return Visit(site_of(request), visitor_of(request), language_of(request))


def show(
    request: Request,
    template: str,
    context: Context,
    *,
    block: str | None = None,
    status: int = 200,
) -> HTMLResponse:
    """A template, or one block of it, with the context as `page`.

    Raises:
        NotThere: the template has no such block.
    """
    here = visit(request)
    values = {
        "page": context,
        "visitor": here.visitor,
        "path": request.url.path,
        "menu": request.app.state.menu,
        "banner": request.app.state.banner,
        "query": request.url.query,
    }
    words = here.site.words
    if block is None:
        return HTMLResponse(words.page(here.language, template, values), status_code=status)
    try:
        return HTMLResponse(words.block(here.language, template, block, values), status_code=status)
    except BlockNotFoundError:
        raise NotThere(f"this page has no block {block[:100]!r}") from None


def row_fields(context: type[BaseModel], rows: str) -> list[str]:
    """The names of what is in each row of a context's list of contexts."""
    (row,) = get_args(context.model_fields[rows].annotation)
    return list(row.model_fields)


def csv_response(name: str, columns: Sequence[str], rows: Sequence[BaseModel]) -> Response:
    """Rows as a CSV file that no spreadsheet runs; its first line names the columns."""
    plain = [row.model_dump(mode="json") for row in rows]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    for row in plain:
        cells = (row[name] for name in columns)
        writer.writerow(csv_cell(cell if _single(cell) else str(cell)) for cell in cells)
    return Response(
        text.getvalue(),
        media_type="text/csv; charset=utf-8",
        headers={"content-disposition": f'attachment; filename="{name.replace("/", "-")}.csv"'},
    )


def _single(cell: object) -> bool:
    return cell is None or isinstance(cell, str | int | float | bool)
