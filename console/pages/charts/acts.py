"""What people do with control charts: freeze a baseline, say what was done about a signal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from console.access.roles import Role, opened_to
from console.access.sign_in import own_path
from console.page import visit
from console.pages.charts.chart import AskedChart
from db import products
from db.charts import baselines, signals
from db.session import transaction
from linewatch.errors import ChartError
from linewatch.periods import parse_instant

router = APIRouter(include_in_schema=False)
_Short = Annotated[str, Form(max_length=4096)]


@router.post("/charts/signals/{signal}/reactions", openapi_extra=opened_to(Role.INSPECTOR))
def react(
    request: Request,
    signal: int,
    did: Annotated[str, Form(max_length=2000)],
    back: _Short = "/charts",
) -> Response:
    """Keep what was done about a signal; its alert is over."""
    if not did.strip():
        raise ChartError("say what was done about the signal")
    here = visit(request)
    with transaction(here.site.engine) as connection:
        signals.react(connection, signal, did, by=here.visitor.name)
    return RedirectResponse(own_path(back), status_code=303)


@router.post("/charts/baselines", openapi_extra=opened_to(Role.ENGINEER))
def freeze(
    request: Request,
    product: _Short,
    why: Annotated[str, Form(max_length=2000)],
    since: _Short = "",
    until: _Short = "",
    line: _Short = "",
    defect_class: _Short = "",
    by: _Short = "shift",
    n: _Short = "",
    back: _Short = "/charts",
) -> Response:
    """Freeze a baseline from the subgroups of a range."""
    if not why.strip():
        raise ChartError("say why these subgroups are held to be in control")
    here, now = visit(request), datetime.now(UTC)
    engine, zone = here.site.engine, here.site.settings.timezone
    products.require(engine, product)
    proposal = baselines.proposed(
        engine,
        AskedChart(line=line, class_=defect_class, by=by, n=n).chart(product),
        parse_instant(since, now, zone) if since else None,
        parse_instant(until, now, zone) if until else None,
        by=here.visitor.name,
        why=why,
        timezone=zone,
        now=now,
    )
    with transaction(engine) as connection:
        baselines.freeze(connection, proposal)
    return RedirectResponse(own_path(back), status_code=303)
