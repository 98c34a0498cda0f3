"""Who asks: a person with a session, or a system with a key."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from console.access.roles import Role
from db.people.keys import Scope

COOKIE = "linewatch_session"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks, and what they may do.

    Attributes:
        name: a user's, which decisions and the audit log keep; "" where nobody is signed in.
        role: what they may do.
        session: the SHA-256 of the session's token; None without a session.
        scope: the lines and cameras that a key is for, see `db.people.keys`; None: all.
    """

    name: str
    role: Role
    session: str | None = None
    scope: Scope | None = None

    @property
    def decides(self) -> bool:
        """Whether it is a person who may decide parts, and is to do so unbiased by a model."""
        return self.session is not None and self.role >= Role.INSPECTOR

    def may_speak_for(self, line: str, camera: str) -> bool:
        """Whether its scope holds this camera."""
        return self.scope is None or any(
            line == of and one in (None, camera) for of, one in self.scope
        )


NOBODY = Visitor("", Role.PUBLIC)


def visitor_of(request: Request) -> Visitor:
    """Who asks, as `console.access.admission` found out before the route was called."""
    visitor: Visitor = request.state.visitor
    return visitor
