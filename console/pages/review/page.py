"""The review page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from fastapi import Query
from sqlalchemy import Engine

from console.access.roles import Role
from console.page import Page, Visit
from console.pages.review.choices import choices
from console.pages.review.claims import claims_of
from console.pages.review.queue import Asked, queue
from console.pages.review.shown import (
    Done,
    Review,
    ReviewPart,
    ReviewPicture,
    ReviewProduct,
    key_of,
    name_of,
)
from console.refusals import NotThere
from db import products
from db.clock import database_now
from db.review.figures import Counted, counted_since
from db.review.pictures import pictures_of
from db.review.standing import standings
from db.review.waiting import Waiting, open_by_product, part_of
from db.session import reading

_DAY = timedelta(days=1)


@dataclass(frozen=True)
class ReviewQuery:
    """What the address says."""

    product: Annotated[str, Query(description="Whose parts; left out: the one with most.")] = ""
    line: Annotated[str, Query(description="Only parts of this line.")] = ""
    lot: Annotated[str, Query(description="Only parts of this lot; without the audit sample.")] = ""
    queue: Annotated[
        Literal["open", "golden"],
        Query(description="`golden`: parts that want a second person."),
    ] = "open"
    part: Annotated[str, Query(description="A part's key, to be shown first.")] = ""


def read(visit: Visit, query: ReviewQuery) -> Review:
    """The queue of a product."""
    return review(visit, query)


def review(
    visit: Visit, query: ReviewQuery, done: Done | None = None, problem: str | None = None
) -> Review:
    """The page, with what came of the last decision.

    Raises:
        NotThere: no such product is registered, or the part does not exist.
    """
    engine, known = visit.site.engine, products.codes(visit.site.engine)
    with reading(engine) as connection:
        open_ = open_by_product(connection)
    listed = sorted(known, key=lambda code: (-open_.get(code, 0), code))
    product = query.product or next(iter(listed), "")
    if product and product not in known:
        raise NotThere(str(products.unknown(engine, product)))
    classes = products.classes(engine, product) if product else products.Classes((), None)
    parts = _parts(visit, query, product) if product else []
    counted = _last_day(engine, product)
    return Review(
        product=product,
        products=[ReviewProduct(code=code, open=open_.get(code, 0)) for code in listed],
        classes=choices(visit.site, product, visit.visitor.name, classes),
        class_count=len(classes.codes),
        line=query.line,
        lot=query.lot,
        queue=query.queue,
        open=open_.get(product, 0),
        decided=counted.conforming + counted.nonconforming,
        rate=counted.rate,
        by_person=counted.by_person,
        parts=parts,
        done=done,
        problem=problem,
    )


def _parts(visit: Visit, query: ReviewQuery, product: str) -> list[ReviewPart]:
    engine, me = visit.site.engine, visit.visitor.name
    first = _first(engine, query.part)
    claims = claims_of(visit.site)
    asked = Asked(product, query.line, query.lot, query.queue, me)
    found = queue(engine, asked, claims.by_others(me))
    ordered = first + [one for one in found if one not in first]
    claims.claim(ordered[0].name if ordered else None, me)
    with reading(engine) as connection:
        pictures = pictures_of(connection, ordered)
        said = standings(connection, [one.name for one in ordered])
    return [
        _part(
            one,
            said[one.name].revision,
            [
                ReviewPicture(id=picture.id, camera=picture.camera, stored=picture.stored)
                for picture in sorted(pictures[one.name], key=lambda one: one.camera)
            ],
        )
        for one in ordered
    ]


def _first(engine: Engine, key: str) -> list[Waiting]:
    if not key:
        return []
    with reading(engine) as connection:
        found = part_of(connection, name_of(key))
    if found is None:
        raise NotThere("there is no such part any more")
    return [found]


def _part(part: Waiting, revision: str, pictures: list[ReviewPicture]) -> ReviewPart:
    name = part.name
    return ReviewPart(
        key=key_of(name),
        product=name.product,
        part=name.serial,
        pass_number=name.pass_number,
        line=part.line,
        lot=part.lot,
        made_at=part.made_at,
        revision=revision,
        pictures=pictures,
    )


def _last_day(engine: Engine, product: str) -> Counted:
    if not product:
        return Counted()
    with reading(engine) as connection:
        return counted_since(connection, product, database_now(connection) - _DAY)


PAGE = Page(
    name="review",
    path="/review",
    title="Review",
    role=Role.INSPECTOR,
    query=ReviewQuery,
    context=Review,
    read=read,
    template="review/page.html",
    menu=20,
)
