"""What all who look at the lines share: one look a second, one question to the workers in ten."""

from __future__ import annotations

from dataclasses import dataclass

from console.live import Broadcast, Shared
from console.pages.lines.context import Lines
from console.pages.lines.read import look
from console.site import Site
from workers.fleet import Fleet

_NAME = "lines"


@dataclass(frozen=True, slots=True)
class Watched:
    """The lines of one console, looked at together."""

    fleet: Fleet
    shared: Shared[Lines]
    broadcast: Broadcast[Lines]


def watched(site: Site) -> Watched:
    """What this console keeps of its lines."""
    found = site.kept.get(_NAME)
    if found is None:
        fleet = Fleet(site.settings)
        shared = Shared(lambda: look(site, fleet))
        found = site.kept.setdefault(_NAME, Watched(fleet, shared, Broadcast(shared.now)))
    assert isinstance(found, Watched)
    return found
