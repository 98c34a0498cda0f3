"""Signing in with name and password or by a link, and out."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Form, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from pydantic import Field

from console.access import passwords
from console.access.attempts import attempts_of
from console.access.roles import Role, opened_to
from console.access.visitor import COOKIE, visitor_of
from console.page import Context, show
from console.refusals import SIGN_IN, NotThere
from console.site import site_of
from db.people import links, sessions, users
from db.session import transaction

router = APIRouter(include_in_schema=False)
SESSION = timedelta(hours=12)  # a shift, and what follows it
_NOT_RIGHT = "name or password is not right"
_OVER = "this link was used already, or its time is over; ask for another one"


class SignIn(Context):
    """The form."""

    next: str = Field(description="Where to go then; a path of this console.")
    problem: str | None = Field(default=None, description="Why it did not work.")
    provider: bool = Field(description="Whether people can sign in at an OpenID provider.")


class ByLink(Context):
    """Whom a link signs in."""

    user: str = Field(description="The person's name.")
    token: str = Field(description="What stands in the link.")


@router.get(SIGN_IN, openapi_extra=opened_to(Role.PUBLIC))
def form(request: Request, next: str = "/") -> HTMLResponse:  # noqa: A002
    """The form."""
    return sign_in_page(request, next)


@router.post(SIGN_IN, openapi_extra=opened_to(Role.PUBLIC))
def enter(
    request: Request,
    name: Annotated[str, Form(max_length=200)],
    password: Annotated[str, Form(max_length=1000)],
    next: Annotated[str, Form(max_length=2000)] = "/",  # noqa: A002
) -> Response:
    """Begin a session, or say that it did not work; never which of the two was wrong."""
    site = site_of(request)
    with attempts_of(request).trying(request, name) as one:
        user = users.named(site.engine, name)
        known = user is not None and user.disabled_at is None
        one.right = passwords.verify(password, user.password_hash if user and known else None)
    if not one.right:
        return sign_in_page(request, next, problem=_NOT_RIGHT)
    return begun(request, name, next)


@router.get("/sign-in/link/{token}", openapi_extra=opened_to(Role.PUBLIC))
def look_at_link(request: Request, token: str) -> Response:
    """Ask whether to use the link: what merely looks at it, as mail programs do, uses nothing up.

    Raises:
        NotThere: it was used, or its time is over.
    """
    user = links.whose(site_of(request).engine, token)
    if user is None:
        raise NotThere(_OVER)
    return show(request, "sign_in/link.html", ByLink(user=user, token=token))


@router.post("/sign-in/link/{token}", openapi_extra=opened_to(Role.PUBLIC))
def enter_by_link(request: Request, token: str) -> Response:
    """Begin a session and use the link up.

    Raises:
        NotThere: it was used, or its time is over.
    """
    engine = site_of(request).engine
    user = links.whose(engine, token)
    with transaction(engine) as connection:
        used = links.use(connection, token)
    if user is None or not used:
        raise NotThere(_OVER)
    return begun(request, user, "/")


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


def sign_in_page(request: Request, next: str, *, problem: str | None = None) -> HTMLResponse:  # noqa: A002
    """The form, with why it did not work."""
    provider = bool(site_of(request).settings.oidc_issuer)
    page = SignIn(next=own_path(next), problem=problem, provider=provider)
    return show(request, "sign_in/page.html", page, status=401 if problem else 200)


def begun(request: Request, user: str, then: str, *, confirmed: bool = False) -> Response:
    """A new session's cookie, and on to a path of this console.

    `confirmed`: they have just shown at the provider who they are.
    """
    site = site_of(request)
    agent = request.headers.get("user-agent", "")
    with transaction(site.engine) as connection:
        token = sessions.begin(connection, user, lasts=SESSION, agent=agent, confirmed=confirmed)
    answer = RedirectResponse(own_path(then), status_code=303)
    answer.set_cookie(
        COOKIE,
        token,
        max_age=int(SESSION.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=site.secure,
    )
    return answer


def own_path(address: str) -> str:
    """`address` where it is a path of this console, else the first page: no redirect elsewhere."""
    parts = urlsplit(address)
    plain = address.startswith("/") and not address.startswith(("//", "/\\"))
    return address if plain and not parts.scheme and not parts.netloc else "/"
