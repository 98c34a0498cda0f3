"""What people have said of a part so far, and whether it is still what somebody looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, Select, func, select

from db.base import table_of
from db.labels.decisions import OPEN
from db.labels.vocabulary import TAKEN_BACK
from db.review.waiting import Waiting, as_uuid
from db.session import reading
from db.tables import Inspection, Label, PartDecision
from linewatch.errors import LinewatchError
from quality.audit_draw import PassName

_D, _L, _I = table_of(PartDecision).c, table_of(Label).c, table_of(Inspection).c


class ChangedSinceError(LinewatchError):
    """Somebody said something else of a part since it was looked at."""


@dataclass(frozen=True, slots=True)
class Word:
    """One thing that a person said.

    Attributes:
        said: a class of the product, '' where it takes back what was said before; None of a
            decision: conforming.
        picture: that was labelled; None: it is a decision on the part.
        order: of the row, among those of its kind.
    """

    said: str | None
    by: str
    at: datetime
    source: str
    picture: UUID | None
    order: int


@dataclass(frozen=True, slots=True)
class Standing:
    """What people said of a serial number, or of a picture without one.

    Attributes:
        decisions: on any pass of it, in the order in which they hold.
        labels: on its pictures, likewise.
        pictures: how many there are.
    """

    decisions: tuple[Word, ...]
    labels: tuple[Word, ...]
    pictures: int

    @property
    def revision(self) -> str:
        """Differs once anything was added; rows are only ever added."""
        return f"{len(self.decisions)}.{len(self.labels)}.{self.pictures}"

    @property
    def last(self) -> Word | None:
        """The latest thing that was said."""
        words = (*self.decisions, *self.labels)
        return max(words, key=lambda one: (one.at, one.picture is None, one.order), default=None)

    def but_for(self, at: datetime) -> Standing:
        """Without what was said at that moment."""
        decisions, labels = (
            tuple(one for one in words if one.at != at) for words in (self.decisions, self.labels)
        )
        return replace(self, decisions=decisions, labels=labels)

    def changed_since(self, revision: str) -> ChangedSinceError | None:
        """Why what somebody saw at `revision` is not what there is now; None: it is."""
        if self.revision == revision:
            return None
        last = self.last
        if last is None or revision.split(".")[:2] == self.revision.split(".")[:2]:
            return ChangedSinceError("a picture of this part came since you looked: look again")
        did = {None: "called this part good", TAKEN_BACK: "took back what was said of it"}
        said = did.get(last.said, f"called this {last.said!r}")
        return ChangedSinceError(
            f"{last.by} {said} at {last.at:%Y-%m-%d %H:%M:%S} UTC, since you looked at "
            "it: nothing was stored of yours; look at it again"
        )


def standing(connection: Connection, name: PassName) -> Standing:
    """What people said so far."""
    pictures = list(connection.scalars(_pictures(name)))
    decisions = select(
        *(_D.id, _D.disposition, _D.defect_class, _D.decided_by, _D.decided_at, _D.source)
    ).where(_D.product == name.product, _D.part == name.serial)
    decided = [
        Word(
            TAKEN_BACK if row.disposition == OPEN else row.defect_class,
            *(row.decided_by, row.decided_at, row.source, None, row.id),
        )
        for row in connection.execute(decisions.order_by(_D.decided_at, _D.id))
        if name.serial
    ]
    labels = select(_L.id, _L.label, _L.labelled_by, _L.labelled_at, _L.source, _L.inspection_id)
    labels = labels.where(_L.inspection_id.in_(pictures)).order_by(_L.labelled_at, _L.id)
    labelled = [
        Word(row.label, row.labelled_by, row.labelled_at, row.source, row.inspection_id, row.id)
        for row in connection.execute(labels)
    ]
    return Standing(tuple(decided), tuple(labelled), len(pictures))


def standings(engine: Engine, parts: list[Waiting]) -> dict[PassName, Standing]:
    """The same of some parts."""
    with reading(engine) as connection:
        return {one.name: standing(connection, one.name) for one in parts}


def _pictures(name: PassName) -> Select[Any]:
    if name.serial:
        same = func.coalesce(_I.product, "") == name.product
        return select(_I.id).where(_I.part == name.serial, same)
    return select(_I.id).where(_I.id == as_uuid(name.scope))
