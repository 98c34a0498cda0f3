"""`/api/v1/inspections`: hand a picture over, ask how it ended, read what was inspected."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from console.access.roles import Role, opened_to
from console.access.visitor import visitor_of
from console.inspections.handed import FILE, Handed, Said, handed, slots
from console.inspections.shown import Inspection, Inspections, after, cursor
from console.inspections.taking import take
from console.refusals import NotThere, OutOfScope
from console.site import site_of
from db import products
from db.inspections import listed
from db.review.undecided import JUDGED, undecided_pictures
from db.session import reading

router = APIRouter(prefix="/api/v1/inspections", tags=["inspections"])
_MOST = 500
_FIELDS = Said.model_json_schema()


def _parameters() -> list[dict[str, Any]]:
    """The fields, as they stand in the address when the picture is the body."""
    return [
        {"name": name, "in": "query", "required": False, "schema": schema}
        for name, schema in _FIELDS["properties"].items()
    ]


_BODY = {
    "required": True,
    "content": {
        "image/*": {"schema": {"type": "string", "format": "binary"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "properties": {
                    FILE: {"type": "string", "format": "binary"},
                    **_FIELDS["properties"],
                },
                "required": [FILE, *_FIELDS["required"]],
            }
        },
    },
}


@router.post(
    "",
    openapi_extra={
        **opened_to(Role.INSPECTOR, scoped=True),
        "requestBody": _BODY,
        "parameters": _parameters(),
    },
    status_code=202,
    response_model=Inspection,
    operation_id="hand_over",
    summary="Hand a picture over",
)
async def hand_over(request: Request) -> JSONResponse:
    """Accept a picture; when this answers, it is on disk here and will be judged.

    As the body, with its fields in the address, or as multipart/form-data.
    """
    site = site_of(request)
    async with slots(request):
        picture = await handed(request, site.settings.max_image_bytes)
        id_ = await run_in_threadpool(_accept, request, picture)
    said = picture.said
    answer = Inspection(
        id=id_,
        state="waiting",
        product=said.product,
        line=said.line,
        camera=said.camera,
        part=said.part,
        lot=said.lot,
    )
    return JSONResponse(
        answer.model_dump(mode="json"),
        status_code=202,
        headers={"location": f"/api/v1/inspections/{id_}"},
    )


@router.get(
    "/{id}",
    openapi_extra=opened_to(Role.VIEWER, scoped=True),
    operation_id="read_inspection",
    summary="How a picture ended",
)
def read_one(request: Request, id: UUID) -> Inspection:  # noqa: A002
    """The verdict on a picture, or that it waits for one.

    Raises:
        NotThere: there is no such picture, or the key is not for its camera.
    """
    record = listed.one(site_of(request).engine, id)
    if record is not None:
        found = Inspection.of(record)
        if visitor_of(request).may_speak_for(found.line or "", found.camera or ""):
            return _as_seen(request, [found])[0]
    elif site_of(request).intake.waits(id):
        return Inspection(id=id, state="waiting")
    raise NotThere("there is no such picture here, or this key is not for its camera")


@router.get(
    "",
    openapi_extra=opened_to(Role.VIEWER),
    operation_id="read_inspections",
    summary="What was inspected, newest first",
)
def read_page(
    request: Request,
    line: Annotated[str | None, Query(description="With `camera`.", max_length=64)] = None,
    camera: Annotated[str | None, Query(description="With `line`.", max_length=64)] = None,
    product: Annotated[str | None, Query(description="Instead of them.", max_length=64)] = None,
    after_: Annotated[
        str | None, Query(alias="after", description="`next` of the page before.", max_length=200)
    ] = None,
    limit: Annotated[int, Query(ge=1, le=_MOST, description="Of a page.")] = 100,
) -> Inspections:
    """A page of inspections: of all lines, of one camera of a line, or of a product."""
    if (line is None) != (camera is None) or (line is not None and product is not None):
        raise HTTPException(422, "name line and camera, or product, or none of them")
    which = listed.Which(line, camera, product)
    behind = None if after_ is None else after(after_)
    records = listed.page(site_of(request).engine, which, behind, limit + 1)
    shown = _as_seen(request, [Inspection.of(record) for record in records[:limit]])
    return Inspections(inspections=shown, next=cursor(shown[-1]) if len(records) > limit else None)


def _as_seen(request: Request, found: list[Inspection]) -> list[Inspection]:
    """Without the model's word where the visitor is to decide the part unbiased by it."""
    if not visitor_of(request).decides:
        return found
    with reading(site_of(request).engine) as connection:
        kept = undecided_pictures(connection, [one.id for one in found if one.verdict in JUDGED])
    return [one.without_word() if one.id in kept else one for one in found]


def _accept(request: Request, picture: Handed) -> UUID:
    site, said = site_of(request), picture.said
    if not visitor_of(request).may_speak_for(said.line, said.camera):
        raise OutOfScope(f"this key is not for camera {said.camera} of line {said.line}")
    if products.get(site.engine, said.product) is None:
        raise HTTPException(422, f"product: there is no product {said.product!r}; set it up first")
    return take(site.intake, picture.data, said.station, said.submission, said.sha256)
