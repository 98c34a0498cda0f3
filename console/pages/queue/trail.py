"""`/trail/{message}`: what happened to a message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Path

from console.access.roles import Role
from console.page import Page, Visit
from console.pages.queue.context import StepRow, Trail
from db.inspections.trail import trail
from db.review.undecided import undecided_pictures
from db.session import reading


@dataclass(frozen=True)
class Asked:
    """Which message."""

    message: Annotated[str, Path(description="A picture's id, or a task's.", max_length=255)]


def read(visit: Visit, query: Asked) -> Trail:
    """Its trail, as SQL knows it."""
    name = query.message.strip()
    try:
        picture = UUID(name)
    except ValueError:
        picture = None
    blind = False
    if picture is not None and visit.visitor.decides:
        with reading(visit.site.engine) as connection:
            blind = bool(undecided_pictures(connection, [picture]))
    steps = trail(visit.site.engine, name, blind=blind)
    known = any(step.what == "decided" for step in steps)
    return Trail(
        message=name,
        picture=picture if known else None,
        steps=[
            StepRow(at=one.at, what=one.what, detail=one.detail, letter=one.letter) for one in steps
        ],
    )


PAGE = Page(
    name="trail",
    path="/trail/{message}",
    title="A message's trail",
    role=Role.VIEWER,
    query=Asked,
    context=Trail,
    read=read,
    template="trail/page.html",
    rows="steps",
)
