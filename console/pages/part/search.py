"""Finding parts by serial number."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query
from pydantic import Field

from console.access.roles import Role
from console.page import Context, Page, Visit
from db import products
from db.parts.search import Found, beginning_with
from db.review.undecided import undecided
from db.session import reading
from quality.audit.draw import PassName

_SHOWN = 100


class FoundPart(Context):
    """A pass of a part that was found."""

    product: str = Field(description="Whose part it is.")
    part: str = Field(description="Its serial number.")
    pass_number: int = Field(description="From 1.")
    line: str = Field(description="That made it.")
    lot: str = Field(description="It belongs to.")
    hidden: bool = Field(
        description="Who asks may decide it, and nobody has: what the model said is left out."
    )
    disposition: str = Field(description="conforming, nonconforming or open; '' where hidden.")
    classes: str = Field(description="Defect classes, joined by +.")
    decided_by: str = Field(description="model or person; '' while it is open.")
    made_at: datetime | None = Field(description="When its first picture was taken.")


class Parts(Context):
    """Parts whose serial number begins with what was typed."""

    q: str = Field(description="What was typed.")
    product: str = Field(description="Only of this product; '': of all.")
    products: list[str] = Field(description="Registered ones.")
    parts: list[FoundPart] = Field(description="Those found, by serial number.")
    more: bool = Field(description="Whether there are more than are shown.")


@dataclass(frozen=True)
class PartsQuery:
    """What is looked for."""

    q: Annotated[str, Query(description="A serial number, or its beginning.")] = ""
    product: Annotated[str, Query(description="Only of this product.")] = ""


def read(visit: Visit, query: PartsQuery) -> Parts:
    """What was found."""
    known = products.codes(visit.site.engine)
    wanted = [query.product] if query.product else [*known, ""]
    with reading(visit.site.engine) as connection:
        found = beginning_with(connection, wanted, query.q.strip(), _SHOWN + 1)
        names = [_name(one) for one in found[:_SHOWN]]
        kept = undecided(connection, names) if visit.visitor.decides else set()
    parts = [_found(one, hidden=_name(one) in kept) for one in found[:_SHOWN]]
    return Parts(
        q=query.q, product=query.product, products=known, parts=parts, more=len(found) > _SHOWN
    )


def _name(one: Found) -> PassName:
    return PassName(one.product, one.serial, one.scope, one.pass_number)


def _found(one: Found, *, hidden: bool) -> FoundPart:
    return FoundPart(
        product=one.product,
        part=one.serial,
        pass_number=one.pass_number,
        line=one.line,
        lot=one.lot,
        hidden=hidden,
        disposition="" if hidden else one.disposition,
        classes="" if hidden else one.classes,
        decided_by="" if hidden else one.decided_by,
        made_at=one.made_at,
    )


PAGE = Page(
    name="parts",
    path="/parts",
    title="Parts",
    role=Role.VIEWER,
    query=PartsQuery,
    context=Parts,
    read=read,
    template="parts/page.html",
    rows="parts",
    menu=25,
)
