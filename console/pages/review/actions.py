"""Deciding, taking back, and deciding a selection."""

# No `from __future__ import annotations`: FastAPI reads the types of the functions made here.
from dataclasses import replace
from typing import Annotated, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from console.access.roles import Role, opened_to
from console.page import API, Context, show, visit
from console.pages.review.page import ReviewQuery, review
from console.pages.review.shown import Done, key_of, name_of
from console.refusals import Superseded
from console.site import Site
from db.labels import golden_sets
from db.review import golden
from db.review.deciding import NewWord, decide
from db.review.pictures import pictures_of
from db.review.standing import ChangedSinceError
from db.review.taking_back import take_back
from db.review.waiting import part_of
from db.session import reading, transaction
from quality.audit.draw import PassName

router = APIRouter()
_TEMPLATE, _BLOCK = "review/page.html", "work"
_MOST = 200  # parts of a selection
_PAGE = opened_to(Role.INSPECTOR)
Asked = Annotated[ReviewQuery, Depends()]


class Word(BaseModel):
    """A decision on a part that was looked at."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(description="Of the part.", max_length=4000)
    revision: str = Field(description="Of what was looked at.", max_length=100)
    said: str = Field(description="A class of the product.", max_length=200)
    teach: Literal["one", "all", "none"] = Field(
        default="one",
        description="Which pictures get the label too: `one`, that of a part that has but one.",
    )
    golden: bool = Field(
        default=False, description="Beyond doubt: for the golden set, once a second person agrees."
    )
    why: str = Field(default="", description="The reason; it stays on record.", max_length=2000)


class Taken(Context):
    """What came of a decision."""

    revision: str = Field(description="Of the part now.")
    labels: int = Field(description="How many pictures were labelled.")
    golden: str = Field(description="What came of calling it golden, in words.")


class Back(BaseModel):
    """A decision to take back."""

    model_config = ConfigDict(extra="forbid")

    key: str = Field(description="Of the part.", max_length=4000)
    revision: str = Field(description="Of the part after the decision.", max_length=100)


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
    return _store(here.site, here.visitor.name, word)


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
    revision = _take_back(here.site, here.visitor.name, back)
    return Taken(revision=revision, labels=0, golden="")


@router.post("/review/decide", openapi_extra=_PAGE, include_in_schema=False)
def decide_and_next(request: Request, query: Asked, word: Annotated[Word, Form()]) -> Response:
    """Store a decision and show the next part."""
    here = visit(request)
    try:
        taken = _store(here.site, here.visitor.name, word)
    except Superseded as error:
        return _answer(request, replace(query, part=word.key), problem=str(error), status=409)
    done = _done(here.site, word.key, word.said, taken)
    return _answer(request, replace(query, part=""), done)


@router.post("/review/undo", openapi_extra=_PAGE, include_in_schema=False)
def undo(request: Request, query: Asked, back: Annotated[Back, Form()]) -> Response:
    """Take a decision back and show its part again."""
    here = visit(request)
    again = replace(query, part=back.key)
    try:
        revision = _take_back(here.site, here.visitor.name, back)
    except Superseded as error:
        return _answer(request, again, problem=str(error), status=409)
    taken = Taken(revision=revision, labels=0, golden="")
    return _answer(request, again, _done(here.site, back.key, "", taken))


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
    here, problems = visit(request), []
    for one in chosen or []:
        revision, _, key = one.partition(" ")
        try:
            _store(here.site, here.visitor.name, Word(key=key, revision=revision, said=said))
        except Superseded as error:
            problems.append(f"{name_of(key).serial or name_of(key).scope}: {error}")
    status, told = (409, "; ".join(problems)) if problems else (200, None)
    return _answer(request, replace(query, part=""), problem=told, status=status)


def _store(site: Site, by: str, word: Word) -> Taken:
    name = name_of(word.key)
    teach, source = ("all", golden.SOURCE) if word.golden else (word.teach, "review")
    new = NewWord(name, word.said, by, word.revision, teach, word.why, source)
    named = golden_sets.usual(site.engine, name.product, site.settings.golden_set)
    try:
        with transaction(site.engine) as connection:
            stored = decide(connection, new)
            agreed = golden.agree(connection, name, by, named) if word.golden else None
    except ChangedSinceError as error:
        raise Superseded(str(error)) from None
    told = "" if agreed is None else _golden(agreed)
    return Taken(revision=stored.revision, labels=stored.labels, golden=told)


def _golden(agreed: golden.Agreed) -> str:
    if agreed.pictures:
        return "Two people agree: it is in the golden set."
    return "Another person said something else." if agreed.other else "A second person has to look."


def _take_back(site: Site, by: str, back: Back) -> str:
    try:
        with transaction(site.engine) as connection:
            return take_back(connection, name_of(back.key), by, back.revision)
    except ChangedSinceError as error:
        raise Superseded(str(error)) from None


def _done(site: Site, key: str, said: str, taken: Taken) -> Done:
    name: PassName = name_of(key)
    with reading(site.engine) as connection:
        part = part_of(connection, name)
        pictures = [] if part is None else pictures_of(connection, [part])[name]
    return Done(
        key=key_of(name),
        part=name.serial or name.scope,
        said=said,
        revision=taken.revision,
        labels=taken.labels,
        pictures=len(pictures),
        golden=taken.golden,
    )


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
