"""Golden parts: a class is beyond doubt once two people who did not see each other's word agree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from db.base import table_of
from db.labels import golden_members
from db.labels.vocabulary import TAKEN_BACK
from db.review.pictures import pictures_of
from db.review.standing import Standing, Word, standing
from db.review.waiting import Waiting, part_of
from db.tables import GoldenItem, Inspection, Label, Part
from linewatch.errors import LabelError
from quality.audit.draw import PassName

SOURCE = "golden"  # of labels that are meant for the golden set
_L, _I, _G = table_of(Label).c, table_of(Inspection).c, table_of(GoldenItem).c
_NEWEST = 500  # labels that are looked through for parts that wait for a second person


@dataclass(frozen=True, slots=True)
class Agreed:
    """What two people's words came to.

    Attributes:
        pictures: how many are in the set now through them; 0: a second person has to look.
        other: who said something else; None: nobody.
    """

    pictures: int
    other: str | None = None


def agree(connection: Connection, name: PassName, by: str, set_name: str) -> Agreed:
    """Put a part's pictures into a golden set, if another person said the same of each.

    To be called once `by` has labelled all of them with source `SOURCE`.

    Raises:
        LabelError: there is no such part or picture, or the set is frozen.
    """
    part = part_of(connection, name)
    ids = [] if part is None else [one.id for one in pictures_of(connection, [part])[name]]
    if not ids:
        raise LabelError("its pictures are purged: a golden part needs them")
    now = standing(connection, name)
    labels = {}
    for id_ in ids:
        mine, others = _latest(now, id_, by)
        if mine is None or not others:
            return Agreed(0)
        if others[-1].said != mine.said:
            return Agreed(0, others[-1].by)
        labels[id_] = str(mine.said)
    golden_members.add(connection, name.product, set_name, labels, by=by)
    return Agreed(len(labels))


def _latest(now: Standing, picture: object, by: str) -> tuple[Word | None, list[Word]]:
    """This person's latest golden word on a picture, and those of others."""
    words = [one for one in now.labels if one.picture == picture]
    latest = {one.by: one for one in words}
    golden = [one for one in latest.values() if one.source == SOURCE]
    mine = next((one for one in golden if one.by == by), None)
    return mine, [one for one in golden if one.by != by]


def for_a_second(connection: Connection, product: str, by: str, limit: int = 60) -> list[Waiting]:
    """Parts that another person called golden, of which `by` has said nothing yet."""
    member = select(_G.inspection_id).where(_G.inspection_id == _L.inspection_id).exists()
    query = (
        select(_I.id, _I.part, _L.labelled_by, _L.source, _L.label)
        .join(table_of(Inspection), _I.id == _L.inspection_id)
        .where(_L.product == product, ~member)
        .order_by(_L.recorded_at.desc(), _L.id.desc())
        .limit(_NEWEST)
    )
    rows = connection.execute(query).all()
    latest: dict[tuple[str, str], Any] = {}  # by part and person
    for row in rows:
        latest.setdefault((row.part or str(row.id), row.labelled_by), row)
    seen = {key for (key, who), row in latest.items() if who == by and row.label != TAKEN_BACK}
    asked = {key: row for (key, _), row in latest.items() if row.source == SOURCE}
    found: list[Waiting] = []
    for key, row in asked.items():
        if key not in seen and len(found) < limit:
            part = part_of(connection, _name(connection, product, row.part, str(row.id)))
            found += [part] if part is not None else []
    return found


def _name(connection: Connection, product: str, serial: str | None, id_: str) -> PassName:
    """The part of a picture; of several passes the latest."""
    if not serial:
        return PassName(product, "", id_, 1)
    c = table_of(Part).c
    query = select(c.scope, c.pass_number).where(
        c.product == product, c.serial == serial, c.counted
    )
    row = connection.execute(query.order_by(func.coalesce(c.made_at, c.last_at).desc())).first()
    return PassName(product, serial, *(("", 1) if row is None else row))
