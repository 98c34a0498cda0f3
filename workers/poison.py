"""Which picture killed the worker? Pure rules; the counts live in SQL, see `db.suspects`.

A message that comes back was held by a worker that died (or, which is no death, stopped), and says
nothing about which of its pictures was to blame. So its pictures are tried once more together, and
the next time one by one; the one that is alone in the worker's suspect lane when the worker dies is
the one to blame.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
