"""Labels as Label Studio's JSON, out and in."""

# No `from __future__ import annotations`: FastAPI reads the types of the functions made here.
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import JSONResponse, RedirectResponse, Response

from console.access.roles import Role, opened_to
from console.access.visitor import visitor_of
from console.inspections.handed import FormFile, form_file, slots
from console.page import API
from console.site import site_of
from db import audit, products
from db.labels.labels import add_labels
from db.session import transaction
from linewatch.labels import label_studio
from linewatch.labels.labelled_pictures import labelled_pictures

router = APIRouter()
_INSPECTOR = opened_to(Role.INSPECTOR)
_MOST_BYTES = 64 << 20
_SHARES, _SEED = (0.7, 0.15, 0.15), 42  # as `linewatch labels export` has them
Product = Annotated[str, Query(description="Whose labels.", max_length=200)]


@router.get("/review/labels.json", openapi_extra=_INSPECTOR, include_in_schema=False)
@router.get(
    f"{API}/labels.json",
    openapi_extra=_INSPECTOR,
    operation_id="export_labels",
    summary="Labels as tasks of Label Studio",
    response_class=JSONResponse,
)
def export_labels(request: Request, product: Product) -> Response:
    """The labels that hold, in the form that Label Studio imports."""
    site = site_of(request)
    products.require(site.engine, product)
    rows, parts, _ = labelled_pictures(
        site.engine, product, shares=_SHARES, seed=_SEED, golden_set=site.settings.golden_set
    )
    return JSONResponse(
        label_studio.tasks(rows, parts),
        headers={"content-disposition": 'attachment; filename="labels.json"'},
    )


@router.post("/review/labels", openapi_extra=_INSPECTOR, include_in_schema=False)
async def import_labels(request: Request, product: Product) -> Response:
    """Labels from an export of Label Studio: all of them, or none."""
    async with slots(request):
        file = await form_file(request, "file", _MOST_BYTES, "export fewer tasks at a time")
        await run_in_threadpool(_store, request, product, file)
    return RedirectResponse(f"/review?{urlencode({'product': product})}", status_code=303)


def _store(request: Request, product: str, file: FormFile) -> None:
    site, by = site_of(request), visitor_of(request).name
    products.require(site.engine, product)
    told = label_studio.told(site.engine, file.data, file.name, by=by, product=product)
    with transaction(site.engine) as connection:
        stored = add_labels(connection, told.labels)
        detail = {"file": file.name, "labels": stored}
        audit.append(connection, by, "label.import", product, detail)
