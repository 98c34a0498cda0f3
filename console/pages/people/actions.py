"""What admins do with people, sessions and keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from console.access.roles import Role, opened_to
from console.access.visitor import visitor_of
from console.page import Context, show
from console.refusals import NotThere
from console.site import site_of
from db import audit
from db.people import keys, links, sessions, users
from db.session import transaction

_TO = "/people"
router = APIRouter(prefix=_TO, include_in_schema=False)
_ADMIN = opened_to(Role.ADMIN)
Name = Annotated[str, Form(max_length=200)]
RoleWord = Annotated[str, Form(max_length=20)]


class Made(Context):
    """What is shown once."""

    title: str = Field(description="What it is.")
    note: str = Field(description="What to do with it.")
    secret: str = Field(description="The key or the link.")


@router.post("/add", openapi_extra=_ADMIN)
def add(request: Request, name: Name, role: RoleWord) -> Response:
    """Let somebody in, who signs in by a link first and sets a password then."""
    by = visitor_of(request).name
    with transaction(site_of(request).engine) as connection:
        users.add(connection, name, role, password_hash=None, by=by)
        token = links.make(connection, name, by=by)
    return _link(request, token)


@router.post("/role", openapi_extra=_ADMIN)
def role(request: Request, name: Name, role: RoleWord) -> Response:
    """Give somebody another role."""
    with transaction(site_of(request).engine) as connection:
        users.change(connection, name, by=visitor_of(request).name, role=role)
    return _back()


@router.post("/disable", openapi_extra=_ADMIN)
def disable(request: Request, name: Name) -> Response:
    """Let somebody in no more."""
    with transaction(site_of(request).engine) as connection:
        users.disable(connection, name, by=visitor_of(request).name)
    return _back()


@router.post("/enable", openapi_extra=_ADMIN)
def enable(request: Request, name: Name) -> Response:
    """Let somebody in again."""
    with transaction(site_of(request).engine) as connection:
        users.enable(connection, name, by=visitor_of(request).name)
    return _back()


@router.post("/link", openapi_extra=_ADMIN)
def link(request: Request, name: Name) -> Response:
    """A link that signs somebody in once."""
    with transaction(site_of(request).engine) as connection:
        token = links.make(connection, name, by=visitor_of(request).name)
    return _link(request, token)


@router.post("/sessions/revoke", openapi_extra=_ADMIN)
def revoke_session(request: Request, id: Annotated[str, Form(max_length=64)]) -> Response:  # noqa: A002
    """End somebody's session.

    Raises:
        NotThere: it has ended.
    """
    with transaction(site_of(request).engine) as connection:
        user = sessions.revoke(connection, id)
        if user is None:
            raise NotThere("this session has ended already")
        audit.append(connection, visitor_of(request).name, "session.revoke", user, {})
    return _back()


@router.post("/keys/add", openapi_extra=_ADMIN)
def add_key(
    request: Request,
    name: Name,
    role: RoleWord,
    days: Annotated[int, Form(ge=1, le=1100)],
    scope: Annotated[str, Form(max_length=2000)] = "",
) -> Response:
    """Make a key of the API; `scope` names lines or LINE/CAMERA, one a row or between commas."""
    pairs = _pairs(scope)
    with transaction(site_of(request).engine) as connection:
        key = keys.make(
            connection,
            name,
            role,
            lasts=timedelta(days=days),
            by=visitor_of(request).name,
            scope=pairs or None,
        )
    made = Made(
        title="A new key", note="Copy it now: it is shown this once, and kept nowhere.", secret=key
    )
    return show(request, "people/made.html", made)


@router.post("/keys/revoke", openapi_extra=_ADMIN)
def revoke_key(request: Request, id: Annotated[str, Form(max_length=64)]) -> Response:  # noqa: A002
    """End a key."""
    with transaction(site_of(request).engine) as connection:
        keys.revoke(connection, id, by=visitor_of(request).name)
    return _back()


def _pairs(scope: str) -> list[tuple[str, str | None]]:
    words = (word.strip() for word in scope.replace("\n", ",").split(","))
    split = (word.partition("/") for word in words if word)
    return [(line.strip(), camera.strip() or None) for line, _, camera in split]


def _link(request: Request, token: str) -> Response:
    base = site_of(request).settings.console_url or str(request.base_url)
    made = Made(
        title="A link to sign in",
        note="It signs this person in once, within a quarter of an hour. Give it to nobody else.",
        secret=base.rstrip("/") + links.path(token),
    )
    return show(request, "people/made.html", made)


def _back() -> Response:
    return RedirectResponse(_TO, status_code=303)
