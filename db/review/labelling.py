"""A label on one picture alone: it says what the picture shows, and models learn from it.

What the part is, a decision says (`db.review.deciding`); where there is one, a label changes
nothing of it. Of a picture without a serial number the label is the decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from db import audit
from db.base import table_of
from db.clock import database_now
from db.labels.labels import NewLabel, add_labels
from db.labels.vocabulary import TAKEN_BACK
from db.review.deciding import SOURCE
from db.review.standing import VIEW, ChangedSinceError
from db.tables import Inspection, Label
from linewatch.errors import LabelError

_L = table_of(Label).c


@dataclass(frozen=True, slots=True)
class PictureLabel:
    """The label that holds for a picture.

    Attributes:
        label: a class; '' where nobody labelled it, or that was taken back.
        by: who said so.
        given: how many labels it was given so far; who gives another names this number.
    """

    label: str = TAKEN_BACK
    by: str = ""
    given: int = 0


def picture_labels(connection: Connection, pictures: Sequence[UUID]) -> dict[UUID, PictureLabel]:
    """What holds for each of a few pictures."""
    found = {one: PictureLabel() for one in pictures}
    for row in _rows(connection, pictures):
        before = found[row.inspection_id].given
        found[row.inspection_id] = PictureLabel(row.label, row.labelled_by, before + 1)
    return found


def label_picture(
    connection: Connection, picture: UUID, label: str, by: str, given: int, why: str = ""
) -> PictureLabel:
    """Give a picture a label, whatever its part is.

    Args:
        connection: writes.
        picture: its inspection's id.
        label: a class of its product; '' takes back what was said before.
        by: who says so.
        given: how many labels it had when they looked.
        why: the reason; it stays on record.

    Raises:
        ChangedSinceError: somebody labelled it since.
        LabelError: there is no such picture or class, or nothing to take back.
    """
    before = _rows(connection, [picture])
    _refuse_changed(before, given)
    if label == TAKEN_BACK and (not before or before[-1].label == TAKEN_BACK):
        raise LabelError("this picture has no label: there is nothing to take back")
    at = database_now(connection).astimezone(UTC)
    if before:  # clocks differ, and the latest word counts
        at = max(at, before[-1].labelled_at + timedelta(microseconds=1))
    add_labels(connection, [NewLabel(picture, label, by, _source(connection, picture), at, why)])
    after = _rows(connection, [picture])
    _refuse_changed([one for one in after if one.labelled_at != at], given)
    old = before[-1].label if before else None
    audit.append(connection, by, "label.change", str(picture), {"old": old, "new": label})
    return PictureLabel(label, by, len(after))


def _source(connection: Connection, picture: UUID) -> str:
    part = connection.scalar(select(Inspection.part).where(Inspection.id == picture))
    return VIEW if part else SOURCE


def _rows(connection: Connection, pictures: Sequence[UUID]) -> Sequence[Any]:
    query = select(_L.inspection_id, _L.label, _L.labelled_by, _L.labelled_at)
    query = query.where(_L.inspection_id.in_(pictures)).order_by(_L.labelled_at, _L.id)
    return connection.execute(query).all()


def _refuse_changed(rows: Sequence[Any], given: int) -> None:
    if len(rows) == given:
        return
    if not rows:
        raise ChangedSinceError("this picture was given no label so far: look at it again")
    last = rows[-1]
    did = f"labelled this picture {last.label!r}" if last.label else "took its label back"
    raise ChangedSinceError(
        f"{last.labelled_by} {did} at {last.labelled_at:%Y-%m-%d %H:%M:%S} UTC, since you looked: "
        "nothing was stored of yours; look at it again"
    )
