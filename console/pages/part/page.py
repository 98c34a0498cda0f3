"""All that is known of a serial number."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Path, Query

from console.access.roles import Role
from console.judged import judged_by
from console.page import Page, Visit
from console.pages.part.rows import (
    names_of,
    of_kept_back,
    pass_of,
    picture_of,
    purged_of,
    words_of,
)
from console.pages.part.shown import PartPage
from console.pages.review.choices import choices
from console.pages.review.shown import ReviewClass, key_of
from console.refusals import NotThere
from db import products
from db.models import versions
from db.parts.dossier import dossier
from db.review.undecided import undecided
from db.session import reading
from linewatch.errors import UnknownProductError

_VERSIONS = 30  # newest ones that are offered


@dataclass(frozen=True)
class PartQuery:
    """Which part."""

    product: Annotated[str, Path(description="Whose part.")]
    part: Annotated[str, Path(description="Its serial number, or the id of a picture without.")]
    replay: Annotated[str, Query(description="A version that is to judge it again.")] = ""


def read(visit: Visit, query: PartQuery) -> PartPage:
    """The part.

    Raises:
        NotThere: nothing is known of it.
        ModelError: the version that is to judge again does not exist or cannot be loaded.
    """
    engine, me = visit.site.engine, visit.visitor
    with reading(engine) as connection:
        found = dossier(connection, query.product, query.part)
        names = names_of(found, query.product)
        kept = undecided(connection, names) if me.decides else set()
    if not found.known:
        raise NotThere(f"{query.product} has no part {query.part[:80]!r} on record")
    offered = [one.version for one in versions.versions(engine, query.product)[:_VERSIONS]]
    ids = [one.id for one in found.pictures]
    again = judged_by(visit.site, query.replay, query.product, ids) if query.replay else {}
    hidden = of_kept_back(found, query.product, kept)
    classes, count = _classes(visit, query.product)
    return PartPage(
        product=query.product,
        part=query.part,
        serialised=any(one.part for one in found.pictures) or not found.pictures,
        to_decide=next((key_of(name) for name in names if name in kept), ""),
        passes=[pass_of(row, query.product, kept) for row in found.passes],
        pictures=[
            picture_of(row, found, again.get(row.id), hidden=row.id in hidden)
            for row in found.pictures
        ],
        purged=[purged_of(row, hidden=bool(kept)) for row in found.purged],
        words=sorted(words_of(found), key=lambda one: one.at),
        features=found.features,
        versions=offered,
        replay=query.replay,
        classes=classes,
        class_count=count,
    )


def _classes(visit: Visit, product: str) -> tuple[list[ReviewClass], int]:
    """Those that a person may label the part's pictures with, and how many there are."""
    if visit.visitor.role < Role.INSPECTOR:
        return [], 0
    try:
        known = products.classes(visit.site.engine, product)
    except UnknownProductError:
        return [], 0
    return choices(visit.site, product, visit.visitor.name, known), len(known.codes)


PAGE = Page(
    name="part",
    path="/parts/{product}/{part:path}",
    title="Part",
    role=Role.VIEWER,
    query=PartQuery,
    context=PartPage,
    read=read,
    template="part/page.html",
)
