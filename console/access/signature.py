"""Signing a deed: who signs shows again who they are, and says what it means and why.

How a page uses it. Its context has a field `signing: Signing`, made by `signing_for`; in its form
stands `{% set signing = page.signing %}{% include "signature/fields.html" %}`; the route that does
the deed depends on `Signed` and writes it with `sign`:

    @router.post("/models/{version}/promote", openapi_extra=opened_to(Role.ENGINEER))
    def promote(request: Request, version: str, signature: Signed) -> Response:
        with transaction(site_of(request).engine) as connection:
            ...
            sign(connection, signature, "model.promote", version, {"old": old, "new": version})

As 21 CFR 11.50 and 11.200 ask for: the signer's name, time and meaning stand with the deed, and
each signature needs the signer's password, or a new sign-in at the OpenID provider, anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Any, Literal

from fastapi import Depends, Form, Request
from pydantic import Field
from sqlalchemy import Connection

from console.access import passwords
from console.access.attempts import attempts_of
from console.access.visitor import Visitor, visitor_of
from console.page import Context, Visit
from console.site import Site, site_of
from db import audit
from db.people import sessions, users
from db.session import transaction
from linewatch.errors import LinewatchError

CONFIRMED_FOR = timedelta(minutes=5)
How = Literal["password", "provider", "none"]


class NotSigned(LinewatchError):  # noqa: N818
    """This needs your signature; nothing was done."""


class Signing(Context):
    """What a form asks of who signs."""

    how: How = Field(
        description="How the signer shows who they are: password, provider (a new sign-in at the "
        "OpenID provider), or none: they can do neither and cannot sign."
    )
    confirmed: bool = Field(description="Whether they have signed in at the provider just now.")
    meanings: list[str] = Field(description="What a signature may mean here, such as approval.")


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature that was checked.

    Attributes:
        by: who signed.
        meaning: of the signature, such as approval.
        reason: in the signer's words.
        how: they showed who they are.
    """

    by: str
    meaning: str
    reason: str
    how: How


def signing_for(visit: Visit, meanings: Sequence[str]) -> Signing:
    """What this visitor has to fill in to sign."""
    how = _how(visit.site, visit.visitor)
    session = visit.visitor.session
    confirmed = session is not None and sessions.confirmed(
        visit.site.engine, session, within=CONFIRMED_FOR
    )
    return Signing(how=how, confirmed=confirmed, meanings=list(meanings))


def signed_again(
    request: Request,
    meaning: Annotated[str, Form(min_length=1, max_length=200)],
    reason: Annotated[str, Form(min_length=1, max_length=2000)],
    password: Annotated[str, Form(max_length=1000)] = "",
) -> Signature:
    """The signature that a form brings, checked; a dependency of the route that does the deed.

    Raises:
        NotSigned: the password is not the visitor's, there was no new sign-in at the provider, or
            the visitor is no person.
        TooOften: the password was wrong too often.
    """
    site, visitor = site_of(request), visitor_of(request)
    how = _how(site, visitor)
    if not reason.strip():
        raise NotSigned("say why, in the field for the reason; nothing was done")
    if visitor.session is None or how == "none":
        raise NotSigned("you cannot sign: set yourself a password first; nothing was done")
    if how == "password":
        _check_password(request, site, visitor, password)
    else:
        with transaction(site.engine) as connection:
            if not sessions.use_confirmation(connection, visitor.session, within=CONFIRMED_FOR):
                raise NotSigned("sign in again at the provider, then sign; nothing was done")
    return Signature(visitor.name, meaning.strip(), reason.strip(), how)


Signed = Annotated[Signature, Depends(signed_again)]


def sign(
    connection: Connection,
    signature: Signature,
    action: str,
    subject: str,
    detail: Mapping[str, Any] | None = None,
) -> str:
    """Write the deed with its signature into the chain of the audit log; returns its hash.

    In the deed's own transaction, as its last statement: see `db.audit.append`.
    """
    signed = {"meaning": signature.meaning, "reason": signature.reason, "how": signature.how}
    return audit.append(
        connection, signature.by, action, subject, {**(detail or {}), "signature": signed}
    )


def _how(site: Site, visitor: Visitor) -> How:
    user = users.named(site.engine, visitor.name)
    if user is None:  # a key's
        return "none"
    if user.password_hash is not None:
        return "password"
    return "provider" if user.subject is not None else "none"


def _check_password(request: Request, site: Site, visitor: Visitor, password: str) -> None:
    with attempts_of(request).trying(request, visitor.name) as one:
        user = users.named(site.engine, visitor.name)
        one.right = passwords.verify(password, user.password_hash if user else None)
    if not one.right:
        raise NotSigned("the password is not yours; nothing was done")
