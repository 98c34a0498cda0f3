"""Deny by default: every route's role is checked here, before the route is called."""

from __future__ import annotations

from fastapi import Request
from sqlalchemy.exc import SQLAlchemyError

from console.access.roles import Role, is_scoped, role_named, role_of
from console.access.visitor import COOKIE, NOBODY, Visitor
from console.refusals import OutOfScope, RoleMissing, SignInMissing
from console.site import site_of
from db.outage import away
from db.people import keys, sessions
from db.people.users import KEY_PREFIX


def admit(request: Request) -> None:
    """Find out who asks, and whether they may.

    Raises:
        SignInMissing: nobody is signed in, and the route is not public.
        RoleMissing: the visitor's role is below the route's.
        OutOfScope: it is a key of single lines, and the route is for all of them.
    """
    route = request.scope.get("route")
    wanted = role_of(route)
    try:
        visitor = asker(request)
    except SQLAlchemyError as error:
        if wanted is not Role.PUBLIC or not away(error):
            raise
        visitor = NOBODY  # whether the console answers can be asked while the database does not
    request.state.visitor = visitor
    if visitor.role < wanted:
        if visitor.role is Role.PUBLIC:
            raise SignInMissing
        raise RoleMissing(wanted, visitor.role)
    if visitor.scope is not None and wanted is not Role.PUBLIC and not is_scoped(route):
        raise OutOfScope


def asker(request: Request) -> Visitor:
    """Who asks, by their key or their session; `NOBODY` where neither holds."""
    kind, _, given = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        key = keys.good(site_of(request).engine, given.strip())
        if key is None:  # not the cookie's: who sends a key means it
            return NOBODY
        return Visitor(f"{KEY_PREFIX}{key.name}", role_named(key.role), scope=key.scope)
    token = request.cookies.get(COOKIE)
    found = sessions.signed_in(site_of(request).engine, token) if token else None
    if found is None:
        return NOBODY
    return Visitor(found.user, role_named(found.role), found.token_sha256)
