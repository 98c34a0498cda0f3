"""How much of a form or of JSON is read: little of anybody's, more of those who may come in.

FastAPI reads a body before its dependencies, and so before `admit` has asked who sends it. What
nobody has vouched for must cost neither memory nor time: a form of empty fields takes two seconds
of this process for each megabyte.
"""

from __future__ import annotations

import re

from fastapi import HTTPException
from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from console.access.admission import asker
from console.access.visitor import NOBODY
from console.refusals import refusal

ANYBODYS_BYTES = 64 * 1024  # a name, a password, a decision with its reason
KNOWN_BYTES = 2 * 1024 * 1024  # a product's file, whatever letters it is written with
# Routes that read their bodies themselves: after `admit`, and bounded.
OWN_READERS = re.compile(r"/api/v1/inspections|/products/[^/]+/pictures|/review/labels")


class BodyLimit:
    """Refuses what is longer, by what it says of its length or once that much has come."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may be read, or answer 413."""
        if scope["type"] != "http" or OWN_READERS.fullmatch(scope["path"]):
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        allowed = _Allowed(request)
        said = request.headers.get("content-length", "")
        if said.isdigit() and not await allowed.holds(int(said)):
            await refusal(request, 413, _too_long(allowed.most))(scope, receive, send)
            return
        await self._app(scope, _bounded(receive, allowed), send)


class _Allowed:
    """How many bytes a sender may send; who it is is looked up only where it matters."""

    def __init__(self, request: Request) -> None:
        self._request, self.most = request, ANYBODYS_BYTES

    async def holds(self, count: int) -> bool:
        if count > self.most and self.most < KNOWN_BYTES and await run_in_threadpool(self._known):
            self.most = KNOWN_BYTES
        return count <= self.most

    def _known(self) -> bool:
        try:
            return asker(self._request) is not NOBODY
        except SQLAlchemyError:  # then nobody can be let in, and nothing is done
            return False


def _bounded(receive: Receive, allowed: _Allowed) -> Receive:
    total = 0

    async def bounded() -> Message:
        nonlocal total
        message = await receive()
        total += len(message.get("body", b""))
        if not await allowed.holds(total):
            raise HTTPException(413, _too_long(allowed.most))
        return message

    return bounded


def _too_long(most: int) -> str:
    return f"this is longer than the {most // 1024} KB that are read here; nothing was done"
