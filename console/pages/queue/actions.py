"""What engineers do with dead letters: send them again, say what they did instead, delete them."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from console.access.roles import Role, opened_to
from console.access.visitor import visitor_of
from console.pages.queue.letter import seen
from console.refusals import NotThere, Superseded
from console.site import Site, site_of
from db.inspections import dead_letters, inbox
from db.session import transaction
from linewatch.errors import DeadLetterError
from linewatch.requeue import requeue

router = APIRouter(include_in_schema=False)
_ENGINEER = opened_to(Role.ENGINEER)
Letters = Annotated[list[int] | None, Form(max_length=inbox.MOST_AT_ONCE)]


@router.get("/trail", openapi_extra=opened_to(Role.VIEWER))
def find(message: str = "") -> Response:
    """From the form of the queue page to the trail's own address."""
    name = message.strip()[:255]
    return RedirectResponse(f"/trail/{quote(name, safe='')}" if name else "/queue", status_code=303)


@router.post("/queue/letters/{letter}/requeue", openapi_extra=_ENGINEER)
def send_again(
    request: Request,
    letter: int,
    as_seen: Annotated[str, Form(max_length=200)],
    trust: Annotated[bool, Form()] = False,
) -> Response:
    """Send a letter again, unless somebody saw to it since it was looked at."""
    site = site_of(request)
    found = _as_seen(site, letter, as_seen)
    requeue(site.engine, site.settings, found, by=visitor_of(request).name, trust=trust)
    return RedirectResponse(f"/queue/letters/{letter}", status_code=303)


@router.post("/queue/letters/{letter}/address", openapi_extra=_ENGINEER)
def address(
    request: Request,
    letter: int,
    as_seen: Annotated[str, Form(max_length=200)],
    note: Annotated[str, Form(max_length=inbox.LONGEST_NOTE)],
) -> Response:
    """Say what was done about a letter instead."""
    site = site_of(request)
    _as_seen(site, letter, as_seen)
    with transaction(site.engine) as connection:
        inbox.address(connection, [letter], by=visitor_of(request).name, note=note)
    return RedirectResponse(f"/queue/letters/{letter}", status_code=303)


@router.post("/queue/letters/address", openapi_extra=_ENGINEER)
def address_some(
    request: Request,
    note: Annotated[str, Form(max_length=inbox.LONGEST_NOTE)],
    letters: Letters = None,
) -> Response:
    """The same of a selection."""
    with transaction(site_of(request).engine) as connection:
        inbox.address(connection, _ticked(letters), by=visitor_of(request).name, note=note)
    return RedirectResponse("/queue", status_code=303)


@router.post("/queue/letters/purge", openapi_extra=_ENGINEER)
def purge(request: Request, letters: Letters = None) -> Response:
    """Delete letters and the messages they keep. The pictures' rows stay."""
    with transaction(site_of(request).engine) as connection:
        inbox.remove(connection, _ticked(letters), by=visitor_of(request).name)
    return RedirectResponse("/queue", status_code=303)


def _ticked(letters: list[int] | None) -> list[int]:
    if not letters:
        raise DeadLetterError("no letter is ticked; tick some, then say what is to be done")
    return letters


def _as_seen(site: Site, number: int, as_seen: str) -> dead_letters.Letter:
    found = dead_letters.get(site.engine, number)
    if found is None:
        raise NotThere(f"there is no letter {number}; somebody may have deleted it")
    if seen(found) != as_seen:
        raise Superseded(
            f"letter {number} was seen to by {found.addressed_by or 'somebody'} since you looked, "
            "or came anew; look at it again"
        )
    return found
