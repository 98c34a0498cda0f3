"""A person's own account: where they are signed in, and their password."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from console.access import passwords
from console.access.attempts import attempts_of
from console.access.roles import Role, opened_to
from console.access.visitor import Visitor, visitor_of
from console.page import Context, NoQuery, Page, Visit
from console.pages.people.page import SessionRow, session_rows
from console.refusals import NotThere
from console.site import Site, site_of
from db.clock import database_now
from db.people import sessions, users
from db.session import reading, transaction
from linewatch.errors import UserError

router = APIRouter(prefix="/account", include_in_schema=False)
_JUST_SIGNED_IN = timedelta(minutes=15)


class Account(Context):
    """Who asks, and where else they are signed in."""

    name: str = Field(description="The user, or `key:` and the system.")
    role: str = Field(description="What they may do.")
    password: bool = Field(description="Whether they have a password here.")
    provider: bool = Field(description="Whether they sign in at the OpenID provider.")
    shortest: int = Field(description="Characters that a password has at least.")
    sessions: list[SessionRow] = Field(description="Where they are signed in.")


def read(visit: Visit, query: NoQuery) -> Account:
    """The visitor's own account."""
    user = users.named(visit.site.engine, visit.visitor.name)
    return Account(
        name=visit.visitor.name,
        role=visit.visitor.role.word,
        password=user is not None and user.password_hash is not None,
        provider=user is not None and user.subject is not None,
        shortest=passwords.SHORTEST,
        sessions=[] if user is None else session_rows(visit, user.name),
    )


@router.post("/password", openapi_extra=opened_to(Role.VIEWER))
def change_password(
    request: Request,
    new: Annotated[str, Form(max_length=passwords.LONGEST)],
    again: Annotated[str, Form(max_length=passwords.LONGEST)],
    old: Annotated[str, Form(max_length=passwords.LONGEST)] = "",
) -> Response:
    """Give oneself another password; one's other sessions end.

    Raises:
        UserError: the old one is wrong, the new one is too short or not repeated, or there can be
            none here.
        TooOften: the old one was wrong too often.
    """
    site, visitor = site_of(request), visitor_of(request)
    if new != again:
        raise UserError("the new password was not the same both times; nothing was changed")
    _check_old(request, site, visitor, old)
    hashed = passwords.accepted(new)
    with transaction(site.engine) as connection:
        users.set_password(connection, visitor.name, hashed, by=visitor.name, keep=visitor.session)
    return RedirectResponse("/account", status_code=303)


@router.post("/sessions/revoke", openapi_extra=opened_to(Role.VIEWER))
def revoke(request: Request, id: Annotated[str, Form(max_length=64)]) -> Response:  # noqa: A002
    """End one of one's own sessions.

    Raises:
        NotThere: it has ended, or is somebody else's.
    """
    site, visitor = site_of(request), visitor_of(request)
    own = {session.token_sha256 for session in sessions.listed(site.engine, visitor.name)}
    if id not in own:
        raise NotThere("you have no such session")
    with transaction(site.engine) as connection:
        sessions.revoke(connection, id)
    return RedirectResponse("/account", status_code=303)


def _check_old(request: Request, site: Site, visitor: Visitor, old: str) -> None:
    user = users.named(site.engine, visitor.name)
    if user is None or user.subject is not None:
        raise UserError("you have no password here; you sign in elsewhere")
    if user.password_hash is None:
        # Whoever finds a browser open must not be able to keep the account.
        if not _just_signed_in(site, visitor):
            raise UserError("sign in by a new link first, then set a password")
        return
    with attempts_of(request).trying(request, visitor.name) as one:
        one.right = passwords.verify(old, user.password_hash)
    if not one.right:
        raise UserError("the old password is not right; nothing was changed")


def _just_signed_in(site: Site, visitor: Visitor) -> bool:
    with reading(site.engine) as connection:
        now = database_now(connection)
    own = sessions.listed(site.engine, visitor.name)
    here = [session for session in own if session.token_sha256 == visitor.session]
    return any(now - session.created_at < _JUST_SIGNED_IN for session in here)


PAGE = Page(
    name="account",
    path="/account",
    title="Your account",
    role=Role.VIEWER,
    query=NoQuery,
    context=Account,
    read=read,
    template="account/page.html",
)
