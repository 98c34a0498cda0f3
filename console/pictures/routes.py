"""`/pictures/{id}`: a picture, or in its place a drawing that says why there is none.

Pages show many pictures, and a missing one must not break a page nor fill a browser's console with
errors: for `/pictures` the drawing comes with status 200 and the header `x-picture: gone`. Programs
ask `/api/v1/pictures/{id}`, where a picture that is gone is 404.
"""

from __future__ import annotations

from html import escape
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from console.access.roles import Role, opened_to
from console.pictures.shown import Shown, Size, SmallPictures, small, whole
from console.refusals import NotThere, is_api
from console.site import Site, site_of
from console.words import language_of
from db import products
from db.inspections.picture import Picture, of_inspection
from producer.contract import Reason
from vision.decode import digest
from vision.errors import Unjudgeable
from vision.pictures import Pictures

router = APIRouter()
_small = SmallPictures()
# A person who signs out takes the right to look along, so browsers ask each time; for what they
# have already they are told so by its ETag alone.
_CACHE = "private, no-cache"
_GONE = {
    Reason.MISSING: "The picture's file is gone.",
    Reason.CHANGED: "Another picture lies under this name now.",
    Reason.OUTSIDE_ROOT: "The picture lies outside the folders of pictures.",
    Reason.UNREADABLE: "The picture's file cannot be read.",
}
_NOT_SHOWN = "The picture's file cannot be shown."
NO_PICTURE = "There is no picture."

Wanted = Annotated[
    Size | None, Query(description="Pixels of the longer side of a small JPEG; left out: all.")
]


@router.get(
    "/pictures/{id}",
    openapi_extra=opened_to(Role.VIEWER),
    include_in_schema=False,
    response_class=Response,
)
@router.get(
    "/api/v1/pictures/{id}",
    openapi_extra=opened_to(Role.VIEWER),
    response_class=Response,
    operation_id="read_picture",
    summary="The picture of an inspection",
)
def picture(request: Request, id: UUID, size: Wanted = None) -> Response:  # noqa: A002
    """The picture's file (JPEG, PNG, WebP or BMP; others as PNG), or a small JPEG of it."""
    site = site_of(request)
    found = of_inspection(site.engine, id)
    try:
        if found is None or found.uri is None:
            raise NotThere(NO_PICTURE)
        etag = None if found.sha256 is None else _etag(found.sha256, size)
        if etag is not None and etag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers={"etag": etag, "cache-control": _CACHE})
        return _answer(*_read(site, found, size), size)
    except Unjudgeable as error:
        return _gone(request, _GONE.get(error.reason, _NOT_SHOWN))
    except NotThere as error:
        return _gone(request, str(error))


def _read(site: Site, found: Picture, size: Size | None) -> tuple[str, Shown]:
    """The SHA-256 of the file, and what is shown of it."""
    settings = site.settings
    data = Pictures.from_settings(settings).read(found.uri or "").data
    sha256 = digest(data)
    if found.sha256 not in (None, sha256):
        raise Unjudgeable(Reason.CHANGED, "its hash is another one")
    bits = _bits(site, found)
    if size is None:
        return sha256, whole(data, max_pixels=settings.max_image_pixels, bits=bits)
    key = f"{sha256}-{size.value}-{bits}"
    shown = _small.get(key)
    if shown is None:
        shown = small(data, size, max_pixels=settings.max_image_pixels, bits=bits)
        _small.put(key, shown)
    return sha256, shown


def _bits(site: Site, found: Picture) -> int | None:
    if found.product is None:
        return None
    spec = products.get(site.engine, found.product)
    return None if spec is None else spec.bits_of(found.camera)


def _answer(sha256: str, shown: Shown, size: Size | None) -> Response:
    headers = {"etag": _etag(sha256, size), "cache-control": _CACHE}
    return Response(shown.data, media_type=shown.media_type, headers=headers)


def _etag(sha256: str, size: Size | None) -> str:
    return f'"{sha256[:32]}-{0 if size is None else size.value}"'


def _gone(request: Request, why: str) -> Response:
    if is_api(request):
        raise NotThere(why)
    said = site_of(request).words.say(language_of(request), why)
    return Response(
        _DRAWING.format(escape(said)), media_type="image/svg+xml", headers={"x-picture": "gone"}
    )


_DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 320 240" role="img">
<rect width="320" height="240" fill="#8882" stroke="#888" stroke-dasharray="6 6"/>
<text x="160" y="124" text-anchor="middle" font-family="sans-serif" font-size="13"
 fill="#777">{}</text></svg>"""
