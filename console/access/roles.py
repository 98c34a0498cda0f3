"""Roles, each of which may do what those before it may; a route says which it is opened to."""

from __future__ import annotations

from enum import IntEnum
from typing import Any

from starlette.routing import BaseRoute

_KEY, _SCOPED = "x-role", "x-scoped"


class Role(IntEnum):
    """What a person may do. PUBLIC is for what needs no sign-in."""

    PUBLIC = 0
    VIEWER = 1  # looks at lines, parts, reports, models
    INSPECTOR = 2  # decides parts, labels pictures, acknowledges alerts
    ENGINEER = 3  # sets products up, trains, promotes, requeues
    ADMIN = 4  # lets people and systems in

    @property
    def word(self) -> str:
        """As the database and the API say it."""
        return self.name.lower()


def role_named(word: str) -> Role:
    """The role of a word of the database."""
    return Role[word.upper()]


def opened_to(role: Role, *, scoped: bool = False) -> dict[str, Any]:
    """What a route says of itself: `@router.get(..., openapi_extra=opened_to(Role.VIEWER))`.

    A route that says nothing is the admin's. The OpenAPI document shows the role as `x-role`.

    Args:
        role: the least that may use it.
        scoped: it looks at the visitor's scope itself, so that keys of single lines and cameras may
            use it; to all other routes these are refused.
    """
    extra: dict[str, Any] = {_KEY: role.word}
    if scoped:
        extra[_SCOPED] = True
    if role is Role.PUBLIC:
        extra["security"] = []
    return extra


def role_of(route: BaseRoute | None) -> Role:
    """Who may use a route: admins, unless it says otherwise."""
    extra = getattr(route, "openapi_extra", None) or {}
    return role_named(extra[_KEY]) if _KEY in extra else Role.ADMIN


def is_scoped(route: BaseRoute | None) -> bool:
    """Whether a route looks at the visitor's scope itself."""
    return bool((getattr(route, "openapi_extra", None) or {}).get(_SCOPED))
