"""Which version serves: promote, roll back, retire, shadow. Each with a signature."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from console.access.roles import Role, opened_to
from console.access.signature import Signed, sign
from console.page import visit
from console.pages.models import promoting
from db.models import deployments, versions
from db.models.standing import SHADOW
from db.session import transaction
from model_store.store import ModelStore
from training.stored_model import stored_model

router = APIRouter(include_in_schema=False)
_Seen = Annotated[str, Form(max_length=4096, description="The champion when the page was made.")]
_ENGINEER = opened_to(Role.ENGINEER)


@router.post("/models/{version}/promote", openapi_extra=_ENGINEER)
def promote(
    request: Request,
    version: str,
    signature: Signed,
    seen: _Seen = "",
    force: Annotated[bool, Form()] = False,
) -> Response:
    """Let a version serve, if the gate lets it through, or by force."""
    here = visit(request)
    product = versions.require(here.site.engine, version).product
    promoting.promote(here, product, version, signature, seen=seen, force=force)
    return _to(product)


@router.post("/models/{product}/rollback", openapi_extra=_ENGINEER)
def rollback(request: Request, product: str, signature: Signed, seen: _Seen = "") -> Response:
    """Let the version before the present one serve again."""
    here = visit(request)
    before = promoting.serving(here, product, seen)
    with transaction(here.site.engine) as connection:
        version = deployments.rollback(
            connection, product, by=here.visitor.name, why=signature.reason, expected=before
        )
        detail = {"old": seen or None, "new": version}
        sign(connection, signature, "model.rollback.signed", product, detail)
    return _to(product)


@router.post("/models/{product}/retire", openapi_extra=_ENGINEER)
def retire(request: Request, product: str, signature: Signed, seen: _Seen = "") -> Response:
    """Let no version serve: every part goes to a person."""
    here = visit(request)
    before = promoting.serving(here, product, seen)
    with transaction(here.site.engine) as connection:
        deployments.retire(
            connection, product, by=here.visitor.name, why=signature.reason, expected=before
        )
        sign(connection, signature, "model.retire.signed", product, {"old": seen, "new": None})
    return _to(product)


@router.post("/models/{version}/shadow", openapi_extra=_ENGINEER)
def shadow(
    request: Request,
    version: str,
    seen: Annotated[str, Form(max_length=4096, description="The shadow then.")] = "",
    why: Annotated[str, Form(max_length=2000)] = "",
    off: Annotated[bool, Form()] = False,
) -> Response:
    """Let a version judge beside the champion without a say, or end that; changes no verdict."""
    here = visit(request)
    settings = here.site.settings
    info = versions.require(here.site.engine, version)
    before = promoting.serving(here, info.product, seen, SHADOW)
    if not off:
        stored_model(here.site.engine, ModelStore(settings.models_url), version)  # can be loaded
    with transaction(here.site.engine) as connection:
        deployments.set_shadow(
            connection,
            info.product,
            None if off else version,
            by=here.visitor.name,
            why=why,
            expected=before,
        )
    return _to(info.product)


def _to(product: str) -> Response:
    return RedirectResponse(f"/models?{urlencode({'product': product})}", status_code=303)
