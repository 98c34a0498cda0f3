"""Deciding, taking back, and deciding a selection."""

# No `from __future__ import annotations`: FastAPI reads the types of the functions made here.
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response

from console.access.roles import Role, opened_to
from console.page import API, show, visit
from console.pages.review.page import ReviewQuery, review
from console.pages.review.shelves import shelves_of
from console.pages.review.shown import Done, name_of
from console.pages.review.storing import Back, Taken, Word, store
from console.pages.review.storing import done as done_of
from console.pages.review.storing import undo as take_back
from console.refusals import NotThere, Superseded
from db import products
from linewatch.errors import LabelError
from linewatch.plain_text import visible

router = APIRouter()
_TEMPLATE, _BLOCK = "review/page.html", "work"
_MOST = 200  # parts of a selection
_PAGE = opened_to(Role.INSPECTOR)
Asked = Annotated[ReviewQuery, Depends()]


@router.post(
    f"{API}/review",
    openapi_extra=_PAGE,
    operation_id="decide_part",
    summary="Decide a part that was looked at",
    responses={409: {"description": "Somebody said something of it since."}},
)
def decide_as_json(request: Request, word: Word) -> Taken:
    """Store a decision; an undecided part of the audit sample gets its answer by it."""
    here = visit(request)
    return store(here.site, here.visitor.name, word)


@router.post(
    f"{API}/review/undo",
    openapi_extra=_PAGE,
    operation_id="take_back_decision",
    summary="Take one's last decision on a part back",
    responses={409: {"description": "Somebody said something of it since."}},
)
def undo_as_json(request: Request, back: Back) -> Taken:
    """Nothing is deleted: what was said before holds again, and the audit keeps its answer."""
    here = visit(request)
    revision = take_back(here.site, here.visitor.name, back)
    return Taken(revision=revision, labels=0, golden="")


@router.post("/review/decide", openapi_extra=_PAGE, include_in_schema=False)
def decide_and_next(request: Request, query: Asked, word: Annotated[Word, Form()]) -> Response:
    """Store a decision and show the next part."""
    here = visit(request)
    try:
        taken = store(here.site, here.visitor.name, word)
    except Superseded as error:
        return _answer(request, replace(query, part=word.key), problem=str(error), status=409)
    _at_hand(request, word.key, word.said)
    done = done_of(here.site, word.key, word.said, taken)
    return _answer(request, replace(query, part=""), done)


@router.post("/review/undo", openapi_extra=_PAGE, include_in_schema=False)
def take_back_and_show(request: Request, query: Asked, back: Annotated[Back, Form()]) -> Response:
    """Take a decision back and show its part again."""
    here = visit(request)
    again = replace(query, part=back.key)
    try:
        revision = take_back(here.site, here.visitor.name, back)
    except Superseded as error:
        return _answer(request, again, problem=str(error), status=409)
    taken = Taken(revision=revision, labels=0, golden="")
    return _answer(request, again, done_of(here.site, back.key, "", taken))


@router.post("/review/selection", openapi_extra=_PAGE, include_in_schema=False)
def decide_selection(
    request: Request,
    query: Asked,
    said: Annotated[str, Form(max_length=200)],
    chosen: Annotated[list[str] | None, Form(max_length=_MOST)] = None,
) -> Response:
    """Decide several parts alike, each for itself: one that another decided stops no other.

    A chosen part is its revision, a space, and its key.
    """
    if not chosen:
        nothing = "no part is ticked; tick some, then say what they are"
        return _answer(request, replace(query, part=""), problem=nothing, status=422)
    here, problems = visit(request), []
    for one in chosen:
        revision, _, key = one.partition(" ")
        try:
            store(here.site, here.visitor.name, Word(key=key, revision=revision, said=said))
            _at_hand(request, key, said)
        except (Superseded, LabelError, NotThere) as error:
            problems.append(f"{_named(key)}: {error}")
    status, told = (409, "; ".join(problems)) if problems else (200, None)
    return _answer(request, replace(query, part=""), problem=told, status=status)


def _named(key: str) -> str:
    try:
        part = name_of(key)
    except NotThere:
        return visible(key[:64])
    return part.serial or part.scope


def _at_hand(request: Request, key: str, said: str) -> None:
    """Give a class that was said a button, where the product has too many for all to have one."""
    here, product = visit(request), name_of(key).product
    good = products.classes(here.site.engine, product).good
    shelves_of(here.site).use(product, here.visitor.name, said, good)


def _answer(
    request: Request,
    query: ReviewQuery,
    done: Done | None = None,
    *,
    problem: str | None = None,
    status: int = 200,
) -> Response:
    """The page's changing part for htmx; without scripts the page anew."""
    if "hx-request" in request.headers or status != 200:
        block = _BLOCK if "hx-request" in request.headers else None
        context = review(visit(request), query, done, problem)
        return show(request, _TEMPLATE, context, block=block, status=status)
    asked = {name: value for name, value in vars(query).items() if value}
    return RedirectResponse(f"/review?{urlencode(asked)}", status_code=303)
