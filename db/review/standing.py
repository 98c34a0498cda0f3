"""What people have said of a part so far, and whether it is still what somebody looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, func, select

from db.base import table_of
from db.labels.decisions import OPEN
from db.labels.vocabulary import TAKEN_BACK
from db.parts.pairs import of_serials
from db.review.waiting import as_uuid
from db.tables import Inspection, Label, PartDecision
from linewatch.errors import LinewatchError
from quality.audit.draw import PassName

_D, _L, _I = table_of(PartDecision).c, table_of(Label).c, table_of(Inspection).c
VIEW = "view"  # source of a label on one picture alone, which says nothing of the part


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

    @property
    def last_on_part(self) -> Word | None:
        """The latest thing that was said of the part, and not of a single view."""
        left = tuple(one for one in self.labels if one.source != VIEW)
        return replace(self, labels=left).last

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
    """What people said so far of one part."""
    return standings(connection, [name])[name]


def standings(connection: Connection, names: Sequence[PassName]) -> dict[PassName, Standing]:
    """What people said so far of some parts."""
    pictures = _pictures(connection, names)
    labels = _labels(connection, [id_ for ids in pictures.values() for id_ in ids])
    decisions = _decisions(connection, names)
    found = {}
    for name in names:
        ids = pictures[name]
        words = sorted((word for id_ in ids for word in labels.get(id_, ())), key=_in_time)
        decided = decisions.get((name.product, name.serial), [])
        found[name] = Standing(tuple(decided), tuple(words), len(ids))
    return found


def _in_time(word: Word) -> tuple[datetime, int]:
    return word.at, word.order


def _pictures(connection: Connection, names: Sequence[PassName]) -> dict[PassName, list[UUID]]:
    serials = [one.serial for one in names if one.serial]
    query = select(_I.id, func.coalesce(_I.product, ""), _I.part).where(_I.part.in_(serials))
    by_serial: dict[tuple[str, str], list[UUID]] = {}
    for id_, product, serial in connection.execute(query):
        by_serial.setdefault((product, serial), []).append(id_)
    alone = {one: id_ for one in names if not one.serial and (id_ := as_uuid(one.scope))}
    there = set(connection.scalars(select(_I.id).where(_I.id.in_(list(alone.values())))))
    return {
        one: by_serial.get((one.product, one.serial), [])
        if one.serial
        else [id_ for id_ in [alone.get(one)] if id_ is not None and id_ in there]
        for one in names
    }


def _labels(connection: Connection, pictures: Sequence[UUID]) -> dict[UUID, list[Word]]:
    query = select(_L.id, _L.label, _L.labelled_by, _L.labelled_at, _L.source, _L.inspection_id)
    found: dict[UUID, list[Word]] = {}
    for row in connection.execute(query.where(_L.inspection_id.in_(pictures))):
        word = Word(
            *(row.label, row.labelled_by, row.labelled_at, row.source), row.inspection_id, row.id
        )
        found.setdefault(row.inspection_id, []).append(word)
    return found


def _decisions(
    connection: Connection, names: Sequence[PassName]
) -> dict[tuple[str, str], list[Word]]:
    columns = (_D.product, _D.part, _D.id, _D.disposition, _D.defect_class, _D.decided_by)
    pairs = sorted({(one.product, one.serial) for one in names if one.serial})
    query = select(*columns, _D.decided_at, _D.source).order_by(_D.decided_at, _D.id)
    found: dict[tuple[str, str], list[Word]] = {}
    if not pairs:
        return found
    for row in connection.execute(query.where(of_serials(_D.product, _D.part, pairs))):
        said = TAKEN_BACK if row.disposition == OPEN else row.defect_class
        word = Word(said, row.decided_by, row.decided_at, row.source, None, row.id)
        found.setdefault((row.product, row.part), []).append(word)
    return found
