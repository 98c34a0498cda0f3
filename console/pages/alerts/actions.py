"""What inspectors do about alerts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from console.access.roles import Role, opened_to
from console.access.visitor import visitor_of
from console.refusals import NotThere, Superseded
from console.site import Site, site_of
from db.alerting import seen_to
from db.alerts import AlertInfo
from db.session import transaction

router = APIRouter(include_in_schema=False)
_INSPECTOR = opened_to(Role.INSPECTOR)
Note = Annotated[str, Form(max_length=seen_to.LONGEST_NOTE)]


@router.post("/alerts/{alert}/acknowledge", openapi_extra=_INSPECTOR)
def acknowledge(request: Request, alert: int, note: Note = "") -> Response:
    """Take care of an alert: nobody is told again."""
    site = site_of(request)
    _free(site, alert, ("open",))
    with transaction(site.engine) as connection:
        seen_to.acknowledge(connection, alert, by=visitor_of(request).name, note=note.strip())
    return RedirectResponse("/alerts", status_code=303)


@router.post("/alerts/{alert}/close", openapi_extra=_INSPECTOR)
def close(request: Request, alert: int, note: Note = "") -> Response:
    """End an alert."""
    site = site_of(request)
    _free(site, alert, ("open", "acknowledged"))
    with transaction(site.engine) as connection:
        seen_to.close(connection, alert, by=visitor_of(request).name, note=note.strip())
    return RedirectResponse("/alerts", status_code=303)


def _free(site: Site, number: int, states: tuple[str, ...]) -> AlertInfo:
    """The alert, unless somebody saw to it; who does so after this look is refused by `seen_to`."""
    found = seen_to.get(site.engine, number) if 0 < number < 2**63 else None
    if found is None:
        raise NotThere(f"there is no alert {number}")
    if found.state not in states:
        who = found.closed_by if found.state == "closed" else found.acknowledged_by
        raise Superseded(f"alert {number} was {found.state} already, by {who or 'itself'}")
    return found
