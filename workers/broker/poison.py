"""Which picture killed the worker? Pure rules; the counts are in `db.inspections.suspects`.

A message that comes back was held by a worker that died (or, which is no death, stopped), and says
nothing about which of its pictures was to blame. So its pictures are tried once more together, and
the next time one by one; the one that is alone in the worker's suspect lane when the worker dies is
the one to blame.

A message that kills before its task begins shows no pictures. It is counted itself, by its content.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from uuid import UUID

MAX_DEATHS = 3


@dataclass(frozen=True, slots=True)
class Suspicion:
    """How often a picture was in a worker's hands when that worker died, and how often alone."""

    deaths: int = 1  # a message is redelivered because one worker died with it
    alone: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """What to do with the pictures of a redelivered message, in this order."""

    condemned: tuple[UUID, ...]
    together: tuple[UUID, ...]
    one_by_one: tuple[UUID, ...]


def trial(
    ids: Sequence[UUID],
    suspicions: Mapping[UUID, Suspicion],
    unknown: Suspicion = Suspicion(),
) -> Trial:
    """Sort the pictures of a redelivered message; `unknown` is for those without a suspicion."""
    condemned, together, one_by_one = [], [], []
    for id_ in ids:
        suspicion = suspicions.get(id_, unknown)
        if suspicion.deaths >= MAX_DEATHS and suspicion.alone >= 1:
            condemned.append(id_)
        elif suspicion.deaths >= MAX_DEATHS - 1 or len(ids) == 1:
            one_by_one.append(id_)
        else:
            together.append(id_)
    return Trial(tuple(condemned), tuple(together), tuple(one_by_one))


class Fate(Enum):
    """What to do with a message whose worker died before its task began."""

    TOGETHER = auto()  # as any other
    ALONE = auto()  # when the worker holds no other message
    CONDEMNED = auto()


def fate(suspicion: Suspicion | None) -> Fate:
    """What to do with a message; None: nothing was counted against it so far.

    One that was held and never became a task is to blame itself (`alone`): no need to try it apart.
    """
    if suspicion is None or suspicion.deaths < MAX_DEATHS - 1:
        return Fate.TOGETHER
    if not suspicion.alone:
        return Fate.ALONE
    return Fate.CONDEMNED if suspicion.deaths >= MAX_DEATHS else Fate.TOGETHER
