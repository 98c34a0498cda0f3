"""`/queue/letters/{letter}`: a dead letter, and the message it keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import Path

from console.access.roles import Role
from console.page import Page, Visit
from console.pages.queue.context import Letter
from console.pages.queue.page import letter_row
from console.refusals import NotThere
from db.inspections import dead_letters, requeues

_SHOWN = 20_000  # characters


@dataclass(frozen=True)
class Asked:
    """Which letter."""

    letter: Annotated[int, Path(description="Its number.", ge=1, lt=2**63)]


def read(visit: Visit, query: Asked) -> Letter:
    """The letter.

    Raises:
        NotThere: there is none, or somebody deleted it.
    """
    engine = visit.site.engine
    found = dead_letters.get(engine, query.letter)
    if found is None:
        raise NotThere(f"there is no letter {query.letter}; somebody may have deleted it")
    awaited = found.id in requeues.awaited_letters(engine)
    return Letter(
        row=letter_row(found, awaited),
        payload=found.payload[:_SHOWN],
        cut=max(0, len(found.payload) - _SHOWN),
        seen=seen(found),
    )


def seen(letter: dead_letters.Letter) -> str:
    """A letter's state in a word: changes when somebody sees to it, or it comes anew."""
    moments = (letter.received_at, letter.requeued_at, letter.addressed_at)
    return "/".join("" if at is None else at.isoformat() for at in moments)


PAGE = Page(
    name="letters",
    path="/queue/letters/{letter}",
    title="Dead letter",
    role=Role.VIEWER,
    query=Asked,
    context=Letter,
    read=read,
    template="letter/page.html",
)
