"""The lines as server-sent events: a tile is sent again when something in it has changed."""

from __future__ import annotations

import json
import time
from collections.abc import AsyncIterator
from contextlib import aclosing

from fastapi import APIRouter, Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from console.access.roles import Role, opened_to
from console.access.visitor import visitor_of
from console.pages.lines.context import Lines
from console.pages.lines.sessions import Sessions
from console.pages.lines.shared import watched
from console.pages.lines.tiles import tiles
from console.site import Site, site_of
from console.words import language_of

router = APIRouter(include_in_schema=False)
WITHOUT_SESSION_S = 60.0  # who asks with a key asks again after so long, and is looked at anew


@router.get("/lines/stream", openapi_extra=opened_to(Role.VIEWER))
def stream(request: Request, wall: bool = False) -> EventSourceResponse:
    """Tiles that changed, for as long as the session stands.

    Events: `tiles`, JSON: element ids and their HTML, and the database's time;
    `away` while the database does not answer; `ended` when the session is over.
    """
    site, language = site_of(request), language_of(request)
    template = "wall/page.html" if wall else "lines/page.html"
    events = _events(site, visitor_of(request).session, language, template)
    return EventSourceResponse(events, ping=15, headers={"x-accel-buffering": "no"})


async def _events(
    site: Site, session: str | None, language: str, template: str
) -> AsyncIterator[ServerSentEvent]:
    sent: dict[str, str] = {}
    until = time.monotonic() + WITHOUT_SESSION_S
    async with (
        Sessions.of(site).watching(session) as sessions,
        aclosing(watched(site).broadcast.watch()) as looks,
    ):
        async for lines in looks:
            if session is None and time.monotonic() > until:
                return
            if not await sessions.stands(session):
                yield ServerSentEvent("", event="ended")
                return
            if lines is None:
                yield ServerSentEvent("", event="away")
                continue
            now = tiles(site, lines, language, template)
            changed = {name: html for name, html in now.items() if sent.get(name) != html}
            sent = now
            yield _tiles(lines, changed)


def _tiles(lines: Lines, changed: dict[str, str]) -> ServerSentEvent:
    said = {"at": lines.at.isoformat(), "frame": lines.frame, "tiles": changed}
    return ServerSentEvent(json.dumps(said), event="tiles")
