"""Write a product's file, by a form or as YAML."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Connection

from console.access.roles import Role, opened_to
from console.access.visitor import visitor_of
from console.pages.products.product_file import as_yaml, changed, from_yaml, revision, write
from console.refusals import NotThere, Superseded
from console.site import site_of
from db import audit, products
from db.session import transaction
from linewatch.errors import ProductError
from linewatch.products import ProductSpec

router = APIRouter(prefix="/products", include_in_schema=False)
_ENGINEER = opened_to(Role.ENGINEER)
Line = Annotated[str, Form(max_length=200)]
Lines = Annotated[list[str], Form(max_length=100_000)]
Long = Annotated[str, Form(max_length=200_000)]


@router.post("", openapi_extra=_ENGINEER)
def add(request: Request, product: Line, name: Line = "") -> Response:
    """Begin a product with a good class and one for all that is not: enough to start.

    Raises:
        ProductError: there is one of this code, or the code cannot be one.
    """
    site = site_of(request)
    classes = [{"code": "good", "good": True}, {"code": "defect"}]
    spec = changed(None, {"product": product, "name": name, "classes": classes})
    with transaction(site.engine) as connection:
        return _saved(request, connection, None, spec)


@router.post("/{product}", openapi_extra=_ENGINEER)
def save(
    request: Request,
    product: str,
    seen: Line,
    code: Lines,
    prompts: Lines,
    good: Line = "",
    name: Line = "",
    views: Line = "",
    escape_target: Line = "",
    audit_share: Line = "",
    region_x: Line = "",
    region_y: Line = "",
    region_width: Line = "",
    region_height: Line = "",
) -> Response:
    """Save the form; what it does not ask for stays as the file has it.

    Raises:
        NotThere: there is no such product.
        Superseded: somebody else changed it since the form was shown.
        ProductError: it says something a product cannot be.
    """
    classes = [
        {
            "code": one.strip(),
            "good": one.strip() == good,
            "prompts": [line.strip() for line in said.splitlines() if line.strip()],
        }
        for one, said in zip(code, prompts, strict=False)
        if one.strip()
    ]
    corners = (region_x, region_y, region_width, region_height)
    fields: dict[str, Any] = {
        "name": name,
        "classes": classes,
        "views": [view.strip() for view in views.split(",") if view.strip()] or None,
        "escape_target": _number("escape target", escape_target),
        "audit_share": _number("audit share", audit_share),
    }
    with transaction(site_of(request).engine) as connection:
        old = _as_seen(connection, product, seen)
        if any(corners) or not _is_polygon(old):
            fields["roi"] = _region(*corners)
        return _saved(request, connection, old, changed(old, fields))


@router.post("/{product}/file", openapi_extra=_ENGINEER)
def save_file(request: Request, product: str, seen: Line, text: Long) -> Response:
    """Save the product as YAML.

    Raises:
        NotThere, Superseded, ProductError: as `save`; or it is another product's file.
    """
    spec = from_yaml(text)
    with transaction(site_of(request).engine) as connection:
        old = _as_seen(connection, product, seen)
        if spec.product != old.product:
            raise ProductError(
                f"this is the page of {old.product}, and the file says {spec.product}"
            )
        return _saved(request, connection, old, spec)


def _as_seen(connection: Connection, product: str, seen: str) -> ProductSpec:
    """The product as the person saw it; nobody else changes it until the transaction ends."""
    spec = products.locked(connection, product)
    if spec is None:
        raise NotThere(f"there is no product {product[:64]!r}")
    if revision(spec) != seen:
        raise Superseded("somebody else changed this product; load the page again, then change it")
    return spec


def _saved(
    request: Request, connection: Connection, old: ProductSpec | None, new: ProductSpec
) -> Response:
    """In the database and in the folder of product files, last: what cannot be written there is in
    neither. The caller's commit comes after it.
    """
    by, folder = visitor_of(request).name, site_of(request).settings.products_dir
    was = None if old is None else as_yaml(old)
    products.register(connection, new, by=by, new=old is None)
    detail = {"old": was, "new": as_yaml(new)}
    audit.append(connection, by, "product.change", new.product, detail)
    if folder is not None:
        write(folder, new)
    return RedirectResponse(f"/products/{quote(new.product)}", status_code=303)


def _is_polygon(spec: ProductSpec) -> bool:
    return isinstance(spec.roi, tuple)


def _region(x: str, y: str, width: str, height: str) -> dict[str, float | None] | None:
    if not any((x, y, width, height)):
        return None
    named = {"x": x, "y": y, "width": width, "height": height}
    return {name: _number(f"region {name}", value) for name, value in named.items()}


def _number(what: str, text: str) -> float | None:
    """A number as people write it; a comma is a point.

    Raises:
        ProductError: it is none.
    """
    try:
        return float(text.strip().replace(",", ".")) if text.strip() else None
    except ValueError:
        raise ProductError(f"{what}: {text[:40]!r} is no number") from None
