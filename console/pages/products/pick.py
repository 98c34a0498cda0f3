"""Pictures that were inspected before, to pick from for a product that is set up."""

# No `from __future__ import annotations`: FastAPI reads the types of the functions made here.
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Annotated
from urllib.parse import urlencode
from uuid import UUID

from fastapi import Query
from pydantic import Field

from console.access.roles import Role
from console.page import Context, Page, Visit
from console.refusals import NotThere
from db import products
from db.inspections import pickable
from db.inspections.listed import After
from db.inspections.stations import all_lines
from db.reports.report import asked_range
from db.storable_text import storable
from linewatch.errors import ReportError
from linewatch.products import ProductSpec

MOST = 60  # pictures of a page, and of a form
_NAMED = 500  # lines and cameras that a form proposes


@dataclass(frozen=True)
class PickQuery:
    """Of which product's set-up, and which pictures it shows."""

    product: str
    line: Annotated[str, Query(description="Only of this line.", max_length=200)] = ""
    camera: Annotated[str, Query(description="Only of this camera.", max_length=200)] = ""
    judged_as: Annotated[str, Query(description="Only of this product.", max_length=200)] = ""
    since: Annotated[
        str, Query(description="Judged from then on: '7d', '2026-01-31T06:00'.", max_length=64)
    ] = "7d"
    until: Annotated[str, Query(description="Judged before then.", max_length=64)] = ""
    after: Annotated[str, Query(description="`next` of the page before.", max_length=200)] = ""

    def address(self, **changes: str) -> str:
        """The query of an address that asks the same, with changes."""
        said = {one.name: getattr(self, one.name) for one in fields(self) if one.name != "product"}
        return urlencode({**said, **changes})


class Candidate(Context):
    """A picture that can be picked."""

    id: UUID = Field(description="The picture lies under /pictures/ID.")
    product: str = Field(description="That it was judged as.")
    line: str = Field(description="Where it was taken.")
    camera: str = Field(description="That took it.")
    part: str | None = Field(description="The part's serial number.")
    decided_at: datetime = Field(description="When it was judged.")
    verdict: str = Field(description="pass, defect or review.")
    defect_class: str | None = Field(description="The model's first choice.")
    label: str | None = Field(description="The label that holds; None: nobody labelled it.")


class Picking(Context):
    """Pictures inspected before, the newest first, for the set-up of a product."""

    product: str = Field(description="That is set up.")
    name: str = Field(description="Its name.")
    classes: list[str] = Field(description="What a picked picture can show.")
    line: str = Field(description="Only of this line; '': of all.")
    camera: str = Field(description="Only of this camera; '': of all.")
    judged_as: str = Field(description="Only of this product; '': of all.")
    since: str = Field(description="Judged from then on; '': ever.")
    until: str = Field(description="Judged before then; '': until now.")
    products: list[str] = Field(description="Those that can be chosen.")
    lines: list[str] = Field(description="Some that can be chosen.")
    cameras: list[str] = Field(description="Some that can be chosen.")
    pictures: list[Candidate] = Field(description="Up to 60 of them.")
    next: str | None = Field(description="`after` of the next page; none: these are all.")
    more: str | None = Field(description="The query of the next page's address.")
    asked: str = Field(description="The query of this page's address.")
    problem: str | None = Field(default=None, description="Why there is no list.")
    labelled: int | None = Field(default=None, description="How many were labelled just now.")
    handed_over: int = Field(default=0, description="How many were handed over just now.")
    known: int = Field(default=0, description="How many of the picked ones were there already.")
    refused: list[str] = Field(default=[], description="Why others were not taken.")


def spec_of(visit: Visit, product: str) -> ProductSpec:
    """The product that is set up.

    Raises:
        NotThere: there is none of this code.
    """
    spec = products.get(visit.site.engine, product)
    if spec is None:
        raise NotThere(f"there is no product {product[:64]!r}")
    return spec


def read(visit: Visit, query: PickQuery) -> Picking:
    """A page of pictures.

    Raises:
        NotThere: there is no such product.
    """
    spec, engine = spec_of(visit, query.product), visit.site.engine
    try:
        found, problem = _found(visit, query), None
    except ReportError as error:
        found, problem = [], str(error)
    following = _place(found[-1]) if len(found) == MOST else None
    lines = all_lines(engine)
    return Picking(
        product=spec.product,
        name=spec.name,
        classes=list(spec.class_codes),
        line=query.line,
        camera=query.camera,
        judged_as=query.judged_as,
        since=query.since,
        until=query.until,
        products=products.codes(engine),
        lines=[one.code for one in lines][:_NAMED],
        cameras=sorted({camera for one in lines for camera in one.cameras})[:_NAMED],
        pictures=[_candidate(one) for one in found],
        next=following,
        more=None if following is None else query.address(after=following),
        asked=query.address(),
        problem=problem,
    )


def _found(visit: Visit, query: PickQuery) -> list[pickable.Inspected]:
    now, timezone = datetime.now(UTC), visit.site.settings.timezone
    since, until = asked_range(query.since or None, query.until or None, now, timezone)
    named = (query.line, query.camera, query.judged_as)
    line, camera, judged_as = (storable(name) or None for name in named)
    narrowed = pickable.Narrowed(line, camera, judged_as, since, until)
    after = _after(query.after) if query.after else None
    return pickable.page(visit.site.engine, query.product, narrowed, after, MOST)


def _candidate(one: pickable.Inspected) -> Candidate:
    return Candidate(
        id=one.id,
        product=one.product,
        line=one.line or "",
        camera=one.camera or "",
        part=one.part,
        decided_at=one.decided_at,
        verdict=one.verdict,
        defect_class=one.defect_class,
        label=one.label,
    )


def _place(one: pickable.Inspected) -> str:
    return str(After(one.decided_at, one.id))


def _after(text: str) -> After:
    try:
        return After.read(text)
    except ValueError:
        raise ReportError("this is no place in the list; begin with its first page") from None


PAGE = Page(
    name="pick",
    path="/pick/{product}",
    title="Pick pictures",
    role=Role.ENGINEER,
    query=PickQuery,
    context=Picking,
    read=read,
    template="products/pick.html",
    rows="pictures",
)
