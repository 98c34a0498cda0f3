"""Signing in with name and password, and out."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from console.access import passwords
from console.access.roles import Role, opened_to
from console.access.visitor import COOKIE, visitor_of
from console.page import Context, show
from console.refusals import SIGN_IN
from console.site import site_of
from db.people import sessions, users
from db.session import transaction

router = APIRouter(include_in_schema=False)
SESSION = timedelta(hours=12)  # a shift, and what follows it
_NOT_RIGHT = "name or password is not right"


class SignIn(Context):
    """The form."""

    next: str = Field(description="Where to go then; a path of this console.")
    problem: str | None = Field(default=None, description="Why it did not work.")


@router.get(SIGN_IN, openapi_extra=opened_to(Role.PUBLIC))
def form(request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002
    """The form."""
    return show(request, "sign_in/page.html", SignIn(next=own_path(next)))


@router.post(SIGN_IN, openapi_extra=opened_to(Role.PUBLIC))
def enter(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002
) -> Response:
    """Begin a session, or say that it did not work; never which of the two was wrong."""
    site = site_of(request)
    user = users.named(site.engine, name)
    known = user is not None and user.disabled_at is None
    if not passwords.verify(password, user.password_hash if user and known else None):
        again = SignIn(next=own_path(next), problem=_NOT_RIGHT)
        return show(request, "sign_in/page.html", again, status=401)
    agent = request.headers.get("user-agent", "")
    with transaction(site.engine) as connection:
        token = sessions.begin(connection, name, lasts=SESSION, agent=agent)
    answer = RedirectResponse(own_path(next), status_code=303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=site.secure,
    )
    return answer


@router.post("/sign-out", openapi_extra=opened_to(Role.VIEWER))
def leave(request: Request) -> Response:
    """End this session."""
    session = visitor_of(request).session
    if session is not None:
        with transaction(site_of(request).engine) as connection:
            sessions.revoke(connection, session)
    answer = RedirectResponse(SIGN_IN, status_code=303)
    answer.delete_cookie(COOKIE)
    return answer


def own_path(address: str) -> str:
    """`address` where it is a path of this console, else the first page: no redirect elsewhere."""
    parts = urlsplit(address)
    plain = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if plain and not parts.scheme and not parts.netloc else "/"
