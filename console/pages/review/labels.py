"""Labels on single views: what a picture shows, whatever the part is decided to be."""

# No `from __future__ import annotations`: FastAPI reads the types of the functions made here.
from collections.abc import Sequence
from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection

from console.access.roles import Role, opened_to
from console.page import API, Context, show, visit
from console.pages.review.choices import choices
from console.pages.review.shown import ReviewClass, ViewLabel, name_of
from console.refusals import NotThere, Superseded
from db import products
from db.inspections import listed
from db.inspections.records import InspectionRecord
from db.review.labelling import label_picture, picture_labels
from db.review.pictures import Seen
from db.review.standing import ChangedSinceError, standing
from db.review.undecided import undecided_pictures
from db.session import reading, transaction
from linewatch.errors import LabelError

router = APIRouter()
_INSPECTOR = opened_to(Role.INSPECTOR)
_TEMPLATE = "labels/answer.html"


class NewViewLabel(BaseModel):
    """What a picture shows."""

    model_config = ConfigDict(extra="forbid")

    said: str = Field(default="", description="A class; '' takes the label back.", max_length=200)
    given: int = Field(description="How many labels the picture had when it was looked at.", ge=0)
    why: str = Field(default="", description="The reason; it stays on record.", max_length=2000)


class FormLabel(NewViewLabel):
    """As a page sends it."""

    part: str = Field(default="", description="The key of the part decided last.", max_length=4000)


class LabelForm(Context):
    """A picture's label, and what it can be."""

    view: ViewLabel = Field(description="The picture.")
    classes: list[ReviewClass] = Field(description="Those to choose from.")
    class_count: int = Field(description="How many the product has.")
    part: str = Field(description="The key of the part decided last; '': another page asks.")
    revision: str = Field(description="Of that part now; '' likewise.")
    problem: str | None = Field(description="Why nothing was stored.")


@router.post(
    f"{API}/pictures/{{id}}/label",
    openapi_extra=_INSPECTOR,
    operation_id="label_picture",
    summary="Label one picture",
    responses={409: {"description": "Somebody labelled it since."}},
)
def label_as_json(request: Request, id: UUID, label: NewViewLabel) -> ViewLabel:  # noqa: A002
    """Say what a picture shows; models learn from it, and a decision on its part stands."""
    return _stored(request, id, label)


@router.post("/pictures/{id}/label", openapi_extra=_INSPECTOR, include_in_schema=False)
def label_and_show(
    request: Request,
    id: UUID,  # noqa: A002
    label: Annotated[FormLabel, Form()],
) -> Response:
    """Store a label and show the form as it is now; without scripts the part's page."""
    status, problem = 200, None
    try:
        _stored(request, id, label)
    except Superseded as error:
        if "hx-request" not in request.headers:
            raise
        status, problem = 409, str(error)
    if "hx-request" in request.headers:
        return show(request, _TEMPLATE, _form(request, id, label.part, problem), status=status)
    record = _record(request, id)
    where = (quote(one, safe="") for one in (record.product or "", record.part or str(id)))
    return RedirectResponse(f"/parts/{'/'.join(where)}", status_code=303)


def _stored(request: Request, picture: UUID, label: NewViewLabel) -> ViewLabel:
    here, record = visit(request), _record(request, picture)
    with reading(here.site.engine) as connection:
        if undecided_pictures(connection, [picture]):
            raise LabelError(
                "nobody has decided this part yet: decide it first, on the page Review"
            )
    try:
        with transaction(here.site.engine) as connection:
            name = here.visitor.name
            now = label_picture(connection, picture, label.said, name, label.given, label.why)
    except ChangedSinceError as error:
        raise Superseded(str(error)) from None
    return _view(record, now)


def _record(request: Request, picture: UUID) -> InspectionRecord:
    record = listed.one(visit(request).site.engine, picture)
    if record is None:
        raise NotThere("there is no such picture any more")
    return record


def _form(request: Request, picture: UUID, part: str, problem: str | None) -> LabelForm:
    here, record = visit(request), _record(request, picture)
    known = products.classes(here.site.engine, record.product or "")
    with reading(here.site.engine) as connection:
        now = picture_labels(connection, [picture])[picture]
        revision = standing(connection, name_of(part)).revision if part else ""
    return LabelForm(
        view=_view(record, now),
        classes=choices(here.site, record.product or "", here.visitor.name, known),
        class_count=len(known.codes),
        part=part,
        revision=revision,
        problem=problem,
    )


def _view(record: InspectionRecord, now: Any) -> ViewLabel:
    return ViewLabel(
        id=record.id,
        product=record.product or "",
        camera=record.camera or "",
        label=now.label,
        by=now.by,
        given=now.given,
    )


def view_labels(connection: Connection, product: str, pictures: Sequence[Seen]) -> list[ViewLabel]:
    """Pictures of a part with their labels, by camera."""
    held = picture_labels(connection, [one.id for one in pictures])
    return [
        ViewLabel(
            id=one.id,
            product=product,
            camera=one.camera,
            label=held[one.id].label,
            by=held[one.id].by,
            given=held[one.id].given,
        )
        for one in sorted(pictures, key=lambda one: one.camera)
    ]
