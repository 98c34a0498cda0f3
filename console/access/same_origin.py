"""Writes come from our own pages: cross-site request forgery is refused by what browsers say."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from console.refusals import refusal

_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class SameOrigin:
    """Refuses what another site makes a signed-in browser send.

    Every current browser sends `Sec-Fetch-Site`, which scripts cannot forge; where it is missing,
    `Origin` must name this host. A request without a cookie carries no session that another site
    could use, so programs with API keys are left alone. (The same rule as Go's
    net/http.CrossOriginProtection, https://pkg.go.dev/net/http#CrossOriginProtection.)
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, or answer 403."""
        if scope["type"] == "http" and not _allowed(Request(scope)):
            await _refused(Request(scope))(scope, receive, send)
        else:
            await self._app(scope, receive, send)


def _allowed(request: Request) -> bool:
    if request.method in _READS:
        return True
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is not None:
        return urlsplit(origin).netloc == request.headers.get("host")
    return "cookie" not in request.headers


def _refused(request: Request) -> Response:
    return refusal(request, 403, "this was sent by another site, so nothing was done")
