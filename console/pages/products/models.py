"""Train a product's next model, let it judge in shadow, let it serve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from kombu.exceptions import OperationalError

from console.access.roles import Role, opened_to
from console.access.signature import Signed
from console.access.visitor import visitor_of
from console.page import visit
from console.pages.models import promoting
from console.refusals import NotThere
from console.site import Site, site_of
from db import audit, products
from db.inspections import set_up
from db.labels import labels
from db.models import deployments, versions
from db.models.standing import SHADOW
from db.session import transaction
from linewatch.errors import LabelError, ModelError, QueueUnavailableError
from linewatch.settings import Settings
from workers.app import make_app
from workers.config import RETRAIN_TASK

router = APIRouter(prefix="/products", include_in_schema=False)
_ENGINEER = opened_to(Role.ENGINEER)
_AT_ONCE = 500


@router.post("/{product}/train", openapi_extra=_ENGINEER)
def train(request: Request, product: str) -> Response:
    """Label what was handed over with its class, and have the training worker make a model.

    Raises:
        NotThere: there is no such product.
        LabelError: nothing is labelled, so there is nothing to learn from.
        QueueUnavailableError: Redis is away; the labels are kept.
    """
    site, by = site_of(request), visitor_of(request).name
    _known(site, product)
    new = label_handed_over(site, product, by=by)
    if not new and not labels.latest(site.engine, product):
        raise LabelError("no picture is labelled yet; hand some over, and wait until they are seen")
    ask_for_training(site.settings, product)
    with transaction(site.engine) as connection:
        audit.append(connection, by, "product.train", product, {"new_labels": new})
    return _back(product)


@router.post("/{product}/shadow", openapi_extra=_ENGINEER)
def shadow(
    request: Request,
    product: str,
    version: Annotated[str, Form(max_length=200)],
    seen: Annotated[str, Form(max_length=4096)] = "",
) -> Response:
    """Let a version judge beside the one that serves, without a say.

    Raises:
        ModelError: it is no version of this product.
        ModelChangedError: another version is in the shadow than when the page was made.
    """
    here = visit(request)
    _of_product(here.site, product, version)
    before = promoting.serving(here, product, seen, SHADOW)
    why, by = "set up in the console", here.visitor.name
    with transaction(here.site.engine) as connection:
        deployments.set_shadow(connection, product, version, by=by, why=why, expected=before)
    return _back(product)


@router.post("/{product}/promote", openapi_extra=_ENGINEER)
def promote(
    request: Request,
    product: str,
    version: Annotated[str, Form(max_length=200)],
    signature: Signed,
    seen: Annotated[str, Form(max_length=4096)] = "",
) -> Response:
    """Let a version serve, if the gate lets it.

    Raises:
        ModelError: it is no version of this product, or the gate says no.
        ModelChangedError: another version serves than when the page was made.
    """
    here = visit(request)
    _of_product(here.site, product, version)
    promoting.promote(here, product, version, signature, seen=seen)
    return _back(product)


def label_handed_over(site: Site, product: str, *, by: str) -> int:
    """Label the pictures that say what they show and have no label; returns how many."""
    said = [
        labels.NewLabel(one.id, one.label, labelled_by=by, source=set_up.SOURCE, product=product)
        for one in set_up.pictures(site.engine, product)
        if one.label is not None and not one.labelled and one.verdict not in _LOST
    ]
    for batch in _batches(said):
        with transaction(site.engine) as connection:
            labels.add_labels(connection, batch)
    return len(said)


def ask_for_training(settings: Settings, product: str) -> None:
    """Put the task into the training queue.

    Raises:
        QueueUnavailableError: Redis did not take it.
    """
    app = make_app(settings)
    try:
        with app.connection_for_write(connect_timeout=3) as connection:
            connection.ensure_connection(max_retries=1, interval_start=0.1, timeout=3)
            app.send_task(
                RETRAIN_TASK, args=[product, "console"], connection=connection, retry=False
            )
    except (OperationalError, OSError) as error:
        raise QueueUnavailableError(
            f"the training queue cannot be reached: {error!s:.200}; the labels are kept, try again"
        ) from None


_LOST = frozenset({"rejected", "dead_letter"})


def _batches(said: Sequence[labels.NewLabel]) -> list[Sequence[labels.NewLabel]]:
    return [said[start : start + _AT_ONCE] for start in range(0, len(said), _AT_ONCE)]


def _known(site: Site, product: str) -> None:
    if products.get(site.engine, product) is None:
        raise NotThere(f"there is no product {product[:64]!r}")


def _of_product(site: Site, product: str, version: str) -> None:
    if versions.require(site.engine, version).product != product:
        raise ModelError(f"{version} is no version of {product}")


def _back(product: str) -> Response:
    return RedirectResponse(f"/products/{quote(product)}", status_code=303)
