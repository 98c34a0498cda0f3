"""The console as an ASGI application."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.resources import files

from anyio import to_thread
from fastapi import Depends, FastAPI
from starlette.staticfiles import StaticFiles

from console import refusals
from console.access import by_provider, sign_in
from console.access.admission import admit
from console.access.attempts import Attempts
from console.access.body_limit import BodyLimit
from console.access.headers import SafeHeaders
from console.access.provider import Provider
from console.access.roles import Role, opened_to
from console.access.same_origin import SameOrigin
from console.inspections import routes as inspections
from console.openapi import document
from console.page import page_router
from console.pages import ACTIONS, PAGES
from console.pictures import routes as pictures
from console.site import Site
from console.timing import ServerTiming
from db.session import MOST_CONNECTIONS
from linewatch import __version__

AT_ONCE = MOST_CONNECTIONS - 3  # requests that are worked on; others wait their turn
# What is no page.
_OWN = (sign_in.router, by_provider.router, pictures.router, inspections.router)


@dataclass(frozen=True, slots=True)
class MenuItem:
    """A page in the menu, for those who may look at it."""

    path: str
    title: str
    role: Role


def create_app(site: Site, *, banner: str = "") -> FastAPI:
    """The console of a site.

    Args:
        site: what it works with.
        banner: a warning above every page.
    """
    app = FastAPI(
        title="Linewatch",
        version=__version__,
        description="Parts, verdicts, decisions, reports and models of a plant.",
        openapi_url=None,  # see below: public, like /healthz
        docs_url=None,  # they load scripts from elsewhere
        redoc_url=None,
        dependencies=[Depends(admit)],
        lifespan=_threads,
    )
    app.state.site, app.state.banner, app.state.attempts = site, banner, Attempts(site.link)
    app.state.intake = site.intake
    app.state.provider = Provider(site.settings) if site.settings.oidc_issuer else None
    in_menu = sorted((p for p in PAGES if p.menu is not None), key=lambda p: p.menu or 0)
    app.state.menu = [MenuItem(p.path, p.title, p.role) for p in in_menu]
    for page in PAGES:
        app.include_router(page_router(page))
    for router in (*_OWN, *ACTIONS):
        app.include_router(router)
    _add_machine_routes(app)
    static = str(files("console").joinpath("static"))
    app.mount("/static", StaticFiles(directory=static), name="static")
    app.add_middleware(BodyLimit)
    app.add_middleware(SameOrigin)
    app.add_middleware(SafeHeaders)
    app.add_middleware(ServerTiming)  # the outermost: it sees what the others take
    refusals.install(app)
    return app


@asynccontextmanager
async def _threads(_app: FastAPI) -> AsyncIterator[None]:
    """Few at once: some hold a connection while they ask for another, and must get it."""
    to_thread.current_default_thread_limiter().total_tokens = AT_ONCE
    yield


def _add_machine_routes(app: FastAPI) -> None:
    @app.get("/healthz", openapi_extra=opened_to(Role.PUBLIC), summary="Whether it answers")
    def healthz() -> dict[str, str]:
        return {"status": "ok", "version": __version__}

    @app.get("/api/v1/openapi.json", openapi_extra=opened_to(Role.PUBLIC), include_in_schema=False)
    def openapi() -> dict[str, object]:
        return document(app)
