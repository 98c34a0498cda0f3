"""What the console works with: one engine, the settings, the templates."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import Engine
from starlette.requests import Request

from console.inspections.intake import Intake
from console.redis_link import RedisLink
from console.words import Words
from linewatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Site:
    """One console.

    Attributes:
        settings: where data, pictures, models and the queue are.
        engine: of the database, with the rights of the role `console`.
        words: templates and messages, by language.
        secure: whether browsers reach it by TLS, so that cookies may demand it.
        intake: takes pictures in.
        link: to Redis, and so to the other processes of this console.
        kept: what pages keep from one visit to the next, by their names.
    """

    settings: Settings
    engine: Engine
    words: Words
    secure: bool = False
    intake: Intake = field(init=False, compare=False)
    link: RedisLink = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "intake", Intake(self.settings))
        object.__setattr__(self, "link", RedisLink(self.settings))

    kept: dict[str, object] = field(default_factory=dict, compare=False, repr=False)


def site_of(request: Request) -> Site:
    """The site that a request came to."""
    site: Site = request.app.state.site
    return site
