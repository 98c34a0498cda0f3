"""Take pictures that were inspected before into a product's set-up.

Those of the product itself are labelled where they are: a copy would be learned and tested at
once. Those of others are handed over anew, as if they were dropped, for a worker to look at.
"""

# No `from __future__ import annotations`: FastAPI reads the types of the functions made here.
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from console.access.roles import Role, opened_to
from console.inspections.taking import take
from console.page import show, visit
from console.pages.products.handing_over import handing_over_of
from console.pages.products.pick import MOST, PickQuery, read, spec_of
from console.site import Site
from db import audit
from db.inspections import pickable, set_up
from db.inspections.pickable import Inspected
from db.labels import labels
from db.session import transaction
from linewatch.errors import LabelError, ProductError
from producer.submission import Station, Submission
from vision.decode import digest
from vision.errors import Unjudgeable
from vision.pictures import Pictures

router = APIRouter(include_in_schema=False)
_SERIAL = 200  # characters, as the contract has it


@router.post("/pick/{product}", openapi_extra=opened_to(Role.ENGINEER))
def pick(
    request: Request,
    query: Annotated[PickQuery, Depends()],
    shows: Annotated[str, Form(max_length=64)],
    chosen: Annotated[list[UUID], Form(max_length=MOST)] = [],  # noqa: B006
) -> Response:
    """Take the chosen pictures, which show the class `shows`; show the page with what came of it.

    Raises:
        NotThere: there is no such product.
        ProductError: it has no such class.
        LabelError: none was chosen.
    """
    here = visit(request)
    spec, site, by = spec_of(here, query.product), here.site, here.visitor.name
    if shows not in spec.class_codes:
        raise ProductError(f"{spec.product} has no class {shows[:64]!r}; save its classes first")
    if not chosen:
        raise LabelError("no picture was chosen; tick some, then add them")
    found = pickable.of_ids(site.engine, spec.product, chosen)
    own = [one for one in found if one.product == spec.product]
    new = [one for one in own if one.label != shows]
    others = [one for one in found if one.product != spec.product]
    taken, refused = _hand_over(site, spec.product, shows, others, by=by)
    _label(site, spec.product, shows, new, taken, by=by)
    known = len(found) - len(new) - len(taken) - len(refused)
    if gone := len(set(chosen)) - len(found):
        refused.append(f"{gone} of them are gone, or cannot teach")
    came = {
        "labelled": len(new),
        "handed_over": len(taken),
        "known": known,
        "refused": refused,
    }
    return show(request, "products/pick.html", read(here, query).model_copy(update=came))


def _label(
    site: Site,
    product: str,
    shows: str,
    new: Sequence[Inspected],
    taken: Sequence[Inspected],
    *,
    by: str,
) -> None:
    if not new and not taken:
        return
    said = [
        labels.NewLabel(one.id, shows, labelled_by=by, source=set_up.SOURCE, product=product)
        for one in new
    ]
    detail = {"shows": shows, "labelled": len(new), "handed_over": len(taken)}
    with transaction(site.engine) as connection:
        labels.add_labels(connection, said)
        audit.append(connection, by, "product.pick", product, detail)


def _hand_over(
    site: Site, product: str, shows: str, others: Sequence[Inspected], *, by: str
) -> tuple[list[Inspected], list[str]]:
    """Those that were accepted, and sentences about those that were not; a file once."""
    if not others:
        return [], []
    pictures, claims = Pictures.from_settings(site.settings), handing_over_of(site)
    station = Station(set_up.LINE, set_up.CAMERA, product)
    there = _there(site, product)
    taken: list[Inspected] = []
    refused: list[str] = []
    for one in others:
        try:
            data = pictures.read(one.image_uri).data
            sha256 = digest(data)
            if one.image_sha256 not in (None, sha256):
                refused.append(f"{one.id}: another picture lies under its name now")
            elif sha256 in there:
                continue
            elif holder := claims.claim(product, sha256, by):
                there = _there(site, product)
                if sha256 not in there:
                    refused.append(f"{one.id}: {holder} hands it over right now")
            else:
                with claims.held(product, sha256, by):
                    take(site.intake, data, station, _submission(one, shows))
                there.add(sha256)
                taken.append(one)
        except (Unjudgeable, HTTPException) as error:
            refused.append(f"{one.id}: {error.detail}")
    return taken, refused


def _there(site: Site, product: str) -> set[str]:
    """SHA-256 of what was handed over.

    What waits is asked first: it waits no more once it is stored.
    """
    waiting = site.intake.waiting(set_up.LINE, product)
    return {*waiting, *set_up.files(site.engine, product)}


def _submission(one: Inspected, shows: str) -> Submission:
    """Pictures of one part stay pictures of one part, so that no split tears them apart."""
    part = None if one.part is None else f"{one.product} {one.part}"[-_SERIAL:]
    views = None if part is None else (set_up.CAMERA,)
    return Submission("", part=part, lot=set_up.lot_of(shows), views=views)
