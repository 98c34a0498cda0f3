"""Signing in at the OpenID provider, and signing in there again for a signature.

What must come back with a person (state, nonce, PKCE verifier) lies in a cookie of their own
browser for ten minutes, and nowhere else: nobody else can send it.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Engine

from console.access.provider import Departure, Identity, Provider, ProviderError
from console.access.roles import Role, opened_to
from console.access.sign_in import begun, own_path, sign_in_page
from console.access.visitor import COOKIE as SESSION_COOKIE
from console.refusals import NotThere
from console.site import Site, site_of
from db.people import sessions, users
from db.session import transaction
from linewatch.errors import UserError

router = APIRouter(include_in_schema=False)
_COOKIE = "linewatch_departure"
_LASTS_S = 600
_CALLBACK = "/sign-in/provider/back"


@router.get("/sign-in/provider", openapi_extra=opened_to(Role.PUBLIC))
def depart(request: Request, next: str = "/", again: bool = False) -> Response:  # noqa: A002
    """Send the person to the provider.

    Raises:
        NotThere: no provider is set.
        ProviderError: it cannot be asked.
    """
    gone = _provider(request).depart(_callback(request), again=again)
    kept = {**asdict(gone), "next": own_path(next), "again": again}
    del kept["address"]
    answer = RedirectResponse(gone.address, status_code=303)
    answer.set_cookie(
        _COOKIE,
        json.dumps(kept, separators=(",", ":")).encode().hex(),
        max_age=_LASTS_S,
        path=_CALLBACK,
        httponly=True,
        samesite="lax",
        secure=site_of(request).secure,
    )
    return answer


@router.get(_CALLBACK, openapi_extra=opened_to(Role.PUBLIC))
def arrive(request: Request, state: str = "", code: str = "", error: str = "") -> Response:
    """Begin a session for who came back, or confirm the one there is.

    Raises:
        NotThere: no provider is set.
    """
    provider, kept = _provider(request), _kept(request)
    try:
        if not secrets.compare_digest(str(kept.get("state", "")).encode(), state.encode()):
            raise ProviderError("this answer belongs to another browser or to an older try")
        if error or not code:
            raise ProviderError(f"the provider did not sign you in: {error or 'no code'!s:.100}")
        gone = Departure("", state, str(kept["nonce"]), str(kept["verifier"]))
        who = provider.arrive(code, _callback(request), gone, again=bool(kept["again"]))
        answer = _let_in(request, who, kept)
    except (ProviderError, UserError) as problem:
        answer = sign_in_page(request, "/", problem=str(problem))
    answer.delete_cookie(_COOKIE, path=_CALLBACK)
    return answer


def _let_in(request: Request, who: Identity, kept: dict[str, Any]) -> Response:
    site = site_of(request)
    user = _user_of(site, who)
    token = request.cookies.get(SESSION_COOKIE)
    here = sessions.signed_in(site.engine, token) if kept["again"] and token else None
    if here is None:
        return begun(request, user, str(kept["next"]), confirmed=bool(kept["again"]))
    if here.user != user:
        raise ProviderError(f"you signed in again as {user}, but are {here.user} here")
    with transaction(site.engine) as connection:
        sessions.confirm(connection, here.token_sha256)
    return RedirectResponse(own_path(str(kept["next"])), status_code=303)


def _user_of(site: Site, who: Identity) -> str:
    """The user that this is, made or changed as the provider's groups say.

    Raises:
        UserError: their groups let them in nowhere, they are disabled here, or the name is
            somebody else's.
    """
    if who.role is None:
        raise UserError("your account is in no group that may use this console")
    known = users.of_subject(site.engine, who.subject)
    if known is None:
        return _added(site.engine, who, who.role)
    if known.disabled_at is not None:
        raise UserError("you may sign in here no more; ask an admin")
    if known.role != who.role:
        with transaction(site.engine) as connection:
            users.change(connection, known.name, by="provider", role=who.role)
    return known.name


def _added(engine: Engine, who: Identity, role: str) -> str:
    """Whoever had the name before keeps it: a name at the provider is no proof."""
    with transaction(engine) as connection:
        users.add(
            connection, who.name, role, password_hash=None, by="provider", subject=who.subject
        )
    return who.name


def _provider(request: Request) -> Provider:
    provider: Provider | None = request.app.state.provider
    if provider is None:
        raise NotThere("this console knows no OpenID provider; set LINEWATCH_OIDC_ISSUER")
    return provider


def _callback(request: Request) -> str:
    base = site_of(request).settings.console_url or str(request.base_url)
    return base.rstrip("/") + _CALLBACK


def _kept(request: Request) -> dict[str, Any]:
    try:
        kept = json.loads(bytes.fromhex(request.cookies.get(_COOKIE, "")))
    except ValueError:
        return {}
    return kept if isinstance(kept, dict) else {}
