"""How long the server took, told to whoever asks."""

from __future__ import annotations

import time

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class ServerTiming:
    """Adds `Server-Timing: app;dur=MILLISECONDS`, from the request's head to the answer's.

    https://www.w3.org/TR/server-timing: browsers show it beside their own times.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on, and time it."""
        began = time.perf_counter()

        async def timed(message: Message) -> None:
            if message["type"] == "http.response.start":
                took_ms = 1000 * (time.perf_counter() - began)
                headers = MutableHeaders(scope=message)
                headers.append("server-timing", f"app;dur={took_ms:.1f}")
            await send(message)

        await self._app(scope, receive, timed if scope["type"] == "http" else send)
