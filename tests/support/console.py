"""A console on a database of a test, asked without a browser or with a real one."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import uvicorn
from fastapi import FastAPI
from fastapi.routing import APIRoute
from sqlalchemy import Engine
from starlette.testclient import TestClient

from console.access.visitor import COOKIE
from console.app import create_app
from console.site import Site
from console.words import Words
from db.people import sessions, users
from db.session import transaction
from linewatch.settings import Settings, get_settings

# What every browser says of a form or script of the page's own site.
OWN_SITE = {"sec-fetch-site": "same-origin"}
_made: list[FastAPI] = []


def console_app(
    engine: Engine, timezone: str = "UTC", *, settings: Settings | None = None
) -> FastAPI:
    """The console on `engine`, with the settings of the test unless others are given."""
    app = create_app(Site(settings or get_settings(), engine, Words(timezone)))
    _made.append(app)
    return app


def close_intakes() -> None:
    """Stop what sends the pictures that consoles of this process accepted."""
    while _made:
        _made.pop().state.intake.close()


def token_for(engine: Engine, role: str = "viewer", name: str | None = None) -> str:
    """A session's token of a user with this role, who is made where there is none."""
    name = name or f"{role}-of-test"
    with transaction(engine) as connection:
        if users.named(engine, name) is None:
            users.add(connection, name, role, password_hash=None, by="test")
        return sessions.begin(connection, name, lasts=timedelta(hours=1), agent="test")


def client_of(app: FastAPI, role: str | None = None, name: str | None = None) -> TestClient:
    """A client that is signed in with `role`; None: nobody."""
    client = TestClient(app, headers=OWN_SITE, follow_redirects=False)
    if role is not None:
        client.cookies.set(COOKIE, token_for(app.state.site.engine, role, name))
    return client


def every_route(app: FastAPI) -> list[APIRoute]:
    """All routes, those of included routers too (which newer versions of FastAPI keep nested)."""
    found: list[APIRoute] = []
    left: list[object] = list(app.routes)
    while left:
        route = left.pop()
        if isinstance(route, APIRoute):
            found.append(route)
        else:
            left += getattr(getattr(route, "original_router", None), "routes", ())
    assert len(found) > 10
    return found


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The console on a free port of this machine, for a browser; gives its address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [free]}, daemon=True)
        free.listen(128)
        thread.start()
        try:
            limit = time.monotonic() + 30
            while not server.started:
                assert time.monotonic() < limit, "the console did not start"
                time.sleep(0.02)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join(10)
