"""Deny by default: every route's role is checked here, before the route is called."""

from __future__ import annotations

from fastapi import Request

from console.access.roles import Role, role_named, role_of
from console.access.visitor import COOKIE, NOBODY, Visitor
from console.refusals import RoleMissing, SignInMissing
from console.site import site_of
from db.people import sessions


def admit(request: Request) -> None:
    """Find out who asks, and whether they may.

    Raises:
        SignInMissing: nobody is signed in, and the route is not public.
        RoleMissing: the visitor's role is below the route's.
    """
    wanted = role_of(request.scope.get("route"))
    visitor = request.state.visitor = _visitor(request)
    if visitor.role >= wanted:
        return
    if visitor.role is Role.PUBLIC:
        raise SignInMissing
    raise RoleMissing(wanted, visitor.role)


def _visitor(request: Request) -> Visitor:
    token = request.cookies.get(COOKIE)
    found = sessions.signed_in(site_of(request).engine, token) if token else None
    if found is None:
        return NOBODY
    return Visitor(found.user, role_named(found.role), found.token_sha256)
