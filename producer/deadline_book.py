"""Which parts have had no receipt by their deadline. Pure: the caller says what time it is.

Only the camera's side can know of a part of which nothing was committed: so this asks neither
Redis nor the spool.
"""

from __future__ import annotations

import heapq
from collections import OrderedDict
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count
from uuid import UUID

_MOST_TOLD = 10_000  # parts whose late receipts are still known as late


@dataclass(frozen=True, slots=True)
class MissedDeadline:
    """A part that has no receipt for all that it needs, and its deadline is over.

    Args:
        part, pass_number: as they were submitted.
        pictures: those handed over until now that have no receipt; of a part whose pictures the
            spool refused, or whose views did not come, there may be none.
        missing_views: views that the part needs and of which no picture was taken.
        captured_at: of the first picture.
        deadline: when its receipts should have been there, by this PC's clock.
    """

    part: str | None
    pass_number: int | None
    pictures: tuple[UUID, ...]
    missing_views: tuple[str, ...]
    captured_at: datetime
    deadline: datetime


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a part when one of its pictures comes.

    Args:
        key: the same for pictures that belong together.
        captured_at: of this picture.
        views: those that the part needs, if it says so.
        view: the one of this picture.
    """

    key: Hashable
    captured_at: datetime
    part: str | None = None
    pass_number: int | None = None
    views: tuple[str, ...] = ()
    view: str | None = None


@dataclass(slots=True, eq=False)
class _Part:
    first: Expected
    deadline: datetime
    views: tuple[str, ...]
    pictures: dict[UUID, str | None] = field(default_factory=dict)  # without a receipt: its view
    ids: list[UUID] = field(default_factory=list)  # all of them
    taken: set[str | None] = field(default_factory=set)  # views of which there is a picture
    handed_over: set[str | None] = field(default_factory=set)  # and those that are in the spool
    answers: int = 0
    told: bool = False

    @property
    def complete(self) -> bool:
        held = self.handed_over.issuperset(self.views)
        return self.answers > 0 and not self.pictures and held


class DeadlineBook:
    """Parts that wait for their receipts, and those whose deadline was told.

    Args:
        deadline_s: from the capture of a part's first picture to the receipt of its last.
        since: a part whose deadline was over then is not told: nobody waits for it any more.
    """

    def __init__(self, deadline_s: float, since: datetime) -> None:
        self._deadline = timedelta(seconds=deadline_s)
        self._since = since
        self._parts: dict[Hashable, _Part] = {}
        self._of_picture: dict[UUID, _Part] = {}
        self._told: OrderedDict[int, _Part] = OrderedDict()
        self._due: list[tuple[float, int, _Part]] = []
        self._numbers = count()

    def expect(
        self, expected: Expected, pictures: Sequence[UUID], *, now: datetime, clock_s: float
    ) -> None:
        """A picture was captured, and will be or was handed over as `pictures`.

        One that claims to be captured later than now counts from now: a camera's clock that is
        ahead would hold up its gate.

        Args:
            now, clock_s: the same moment by the wall clock, and by one that nobody sets.
        """
        captured_at = min(expected.captured_at, now)
        part = self._parts.get(expected.key)
        if part is None or (part.told and captured_at > part.deadline):
            deadline = captured_at + self._deadline
            if deadline < self._since:
                return
            part = _Part(expected, deadline, expected.views)
            self._parts[expected.key] = part
            due_s = clock_s + (deadline - now).total_seconds()
            heapq.heappush(self._due, (due_s, next(self._numbers), part))
        part.views = part.views or expected.views
        part.taken.add(expected.view)
        if pictures:
            part.handed_over.add(expected.view)
        for id_ in pictures:
            part.pictures[id_] = expected.view
            part.ids.append(id_)
            self._of_picture[id_] = part

    def withdraw(self, pictures: Iterable[UUID], *, replaced: bool = False) -> None:
        """No receipt will come for these. Their parts still wait, for others or in vain.

        Args:
            replaced: another picture was handed over in their place.
        """
        for id_ in pictures:
            part = self._of_picture.pop(id_, None)
            if part is not None:
                view = part.pictures.pop(id_, None)
                if not replaced:
                    part.handed_over.discard(view)
                elif not part.pictures and not part.answers and not part.told:
                    self._forget(part)  # the other picture has a deadline of its own
                self._end(part)

    def answered(self, picture: UUID) -> bool:
        """A receipt came; returns whether it is late: its part's deadline was told before."""
        part = self._of_picture.get(picture)
        if part is None:
            return False
        if picture in part.pictures:
            del part.pictures[picture]
            part.answers += 1
        self._end(part)
        return part.told

    def next_due_s(self) -> float | None:
        """When to ask for what is due, by the clock of `expect`; None: nobody waits."""
        while self._due and self._is_over(self._due[0][2]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def due(self, clock_s: float) -> list[MissedDeadline]:
        """The parts whose deadline is over and that were not told yet; from now on they are."""
        missed = []
        while (next_s := self.next_due_s()) is not None and next_s <= clock_s:
            part = heapq.heappop(self._due)[2]
            part.told = True
            self._told[id(part)] = part
            missed.append(_missed(part))
        while len(self._told) > _MOST_TOLD:
            self._forget(self._told.popitem(last=False)[1])
        return missed

    def _is_over(self, part: _Part) -> bool:
        return self._parts.get(part.first.key) is not part

    def _end(self, part: _Part) -> None:
        """Forget a part that has all it needs; one that was told stays, for what is late."""
        if part.complete and not part.told:
            self._forget(part)

    def _forget(self, part: _Part) -> None:
        if not self._is_over(part):
            del self._parts[part.first.key]
        for id_ in part.ids:
            self._of_picture.pop(id_, None)


def _missed(part: _Part) -> MissedDeadline:
    first = part.first
    return MissedDeadline(
        first.part,
        first.pass_number,
        tuple(part.pictures),
        tuple(view for view in part.views if view not in part.taken),
        first.captured_at,
        part.deadline,
    )
