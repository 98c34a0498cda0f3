"""Hand over pictures of a product that is being set up, each said to show a class."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import JSONResponse

from console.access.roles import Role, opened_to
from console.inspections.handed import body, slots
from console.inspections.taking import take
from console.refusals import NotThere
from console.site import Site, site_of
from db import products
from db.inspections import set_up
from linewatch.errors import ProductError
from producer.submission import Station, Submission

router = APIRouter(prefix="/products", include_in_schema=False)


@router.post("/{product}/pictures", openapi_extra=opened_to(Role.ENGINEER), status_code=202)
async def hand_over(
    request: Request, product: str, shows: Annotated[str, Query(max_length=64)]
) -> JSONResponse:
    """Accept a picture, the body of the request, that shows the class `shows`."""
    site = site_of(request)
    async with slots(request):
        data = await body(request, site.settings.max_image_bytes)
        id_ = await run_in_threadpool(_accept, site, product, shows, data)
    return JSONResponse({"id": str(id_)}, status_code=202)


def _accept(site: Site, product: str, shows: str, data: bytes) -> UUID:
    spec = products.get(site.engine, product)
    if spec is None:
        raise NotThere(f"there is no product {product[:64]!r}")
    if shows not in spec.class_codes:
        raise ProductError(f"{product} has no class {shows!r}; save its classes first")
    station = Station(set_up.LINE, set_up.CAMERA, product)
    return take(site.intake, data, station, Submission("", lot=set_up.lot_of(shows)))
