"""What people and the model said of golden pictures, whose class is beyond doubt.

A person's labels on a picture are that person's trials, in order of time; so are decisions on its
part, where that has no other golden picture, but for those that came with a label. The model's are
its verdicts on the picture, and on pictures of the same part and camera that were taken for a study
(`purpose: study`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, and_, or_, select

from db.base import table_of
from db.labels.decisions import OPEN
from db.labels.vocabulary import TAKEN_BACK
from db.review.taking_back import SOURCE as UNDO
from db.tables import DefectClass, Feature, GoldenItem, Inspection, Label, PartDecision
from producer.contract import Purpose

_ITEMS, _PICTURES, _FEATURES = table_of(GoldenItem), table_of(Inspection), table_of(Feature)
CONFORMING = "conforming"


@dataclass(frozen=True, slots=True)
class GoldenPart:
    """A golden picture and what it shows: `CONFORMING`, or a class of defect.

    Attributes:
        name: for people: the serial number, or the picture's id where it has none of its own.
        sole: no other golden picture shows its part.
    """

    id: UUID
    name: str
    is_a: str
    part: str | None
    camera: str | None
    sole: bool


@dataclass(frozen=True, slots=True)
class ModelTrial:
    """A verdict; `vector` (float16, little endian) is there where another model judged it."""

    of: UUID
    verdict: str
    defect_class: str | None
    model_version: str | None
    vector: bytes | None


def golden_parts(
    connection: Connection, product: str, set_name: str | None = None
) -> list[GoldenPart]:
    """The pictures of a product's golden sets, or of one."""
    i, p = _ITEMS.c, _PICTURES.c
    query = select(p.id, p.part, p.camera, i.label).join(_PICTURES, p.id == i.inspection_id)
    query = query.where(i.product == product).order_by(i.set_name, p.id)
    if set_name is not None:
        query = query.where(i.set_name == set_name)
    rows = {row.id: row for row in connection.execute(query)}  # of several sets the last
    good = good_classes(connection, product)
    times = Counter(row.part for row in rows.values())
    found = []
    for row in rows.values():
        sole = bool(row.part) and times[row.part] == 1
        is_a = CONFORMING if row.label in good else row.label
        name = row.part if sole else str(row.id)
        found.append(GoldenPart(row.id, name, is_a, row.part, row.camera, sole))
    return found


def good_classes(connection: Connection, product: str) -> frozenset[str]:
    """The classes of a product that pass."""
    c = table_of(DefectClass).c
    query = select(c.code).where(c.product == product, c.good)
    return frozenset(connection.execute(query).scalars())


def ratings_of_people(
    connection: Connection, product: str, parts: Sequence[GoldenPart]
) -> dict[str, dict[str, list[str]]]:
    """By person and part, what they said, in order of time.

    A label and a decision of one moment are one word. What they took back they have not said, and
    what holds again then is no word of theirs.
    """
    labels, decisions = _labels(connection, product, parts), _decisions(connection, product, parts)
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for moment in sorted(labels.keys() | decisions.keys()):
        trials = found[moment.who][moment.name]
        words = labels.get(moment) or decisions[moment]
        if None in words:
            del trials[-1:]
        trials += [word for word in words if word is not None]
    return {who: {name: words for name, words in of.items() if words} for who, of in found.items()}


class _Moment(NamedTuple):
    """When somebody said something of a golden part."""

    at: datetime
    who: str
    name: str


_Words = dict[_Moment, list[str | None]]  # None: the word before is taken back


def _labels(connection: Connection, product: str, parts: Sequence[GoldenPart]) -> _Words:
    good, names = good_classes(connection, product), {one.id: one.name for one in parts}
    c = table_of(Label).c
    golden = select(_ITEMS.c.inspection_id).where(_ITEMS.c.product == product)
    query = select(c.labelled_at, c.labelled_by, c.inspection_id, c.label, c.source)
    found: _Words = defaultdict(list)
    rows = connection.execute(query.where(c.inspection_id.in_(golden)).order_by(c.id))
    for at, who, id_, code, source in rows:
        if id_ in names:
            word = CONFORMING if code in good else code
            gone = source == UNDO or code == TAKEN_BACK
            found[_Moment(at, who, names[id_])].append(None if gone else word)
    return found


def _decisions(connection: Connection, product: str, parts: Sequence[GoldenPart]) -> _Words:
    names = {one.part: one.name for one in parts if one.sole}
    c = table_of(PartDecision).c
    query = select(c.decided_at, c.decided_by, c.part, c.disposition, c.defect_class, c.source)
    found: _Words = defaultdict(list)
    for start in range(0, len(serials := sorted(filter(None, names))), 500):
        mine = (c.product == product, c.part.in_(serials[start : start + 500]))
        rows = connection.execute(query.where(*mine).order_by(c.id))
        for at, who, part, disposition, code, source in rows:
            gone = source == UNDO or disposition == OPEN
            found[_Moment(at, who, names[part])].append(None if gone else code or CONFORMING)
    return found


def model_trials(
    connection: Connection,
    product: str,
    parts: Sequence[GoldenPart],
    version: str,
    fingerprint: str,
) -> list[ModelTrial]:
    """Verdicts on golden parts, in order of time.

    With features where another version judged the picture, so that it can be judged again. Those of
    studies count only where this version made them: judging one picture twice proves nothing.
    """
    by_id = {one.id: one for one in parts}
    by_view = {(one.part, one.camera): one for one in parts if one.part}
    c = _PICTURES.c
    golden = select(_ITEMS.c.inspection_id).where(_ITEMS.c.product == product)
    query = (
        select(c.id, c.part, c.camera, c.verdict, c.defect_class, c.model_version)
        .where(c.product == product, c.verdict.in_(("pass", "defect", "review")))
        .where(or_(c.id.in_(golden), _studied(parts, version)))
        .order_by(c.decided_at, c.id)
    )
    rows = connection.execute(query).all()
    others = [row.id for row in rows if row.model_version != version]
    vectors = _vectors(connection, others, fingerprint) if others else {}
    found: list[ModelTrial] = []
    for row in rows:
        of = by_id.get(row.id) or by_view.get((row.part, row.camera))
        if of is not None:
            said = (row.verdict, row.defect_class, row.model_version)
            found.append(ModelTrial(of.id, *said, vectors.get(row.id)))
    return found


def _vectors(
    connection: Connection, pictures: Sequence[UUID], fingerprint: str
) -> dict[UUID, bytes]:
    c = _FEATURES.c
    found: dict[UUID, bytes] = {}
    for start in range(0, len(pictures), 500):
        query = select(c.inspection_id, c.vector).where(
            c.fingerprint == fingerprint, c.inspection_id.in_(pictures[start : start + 500])
        )
        found.update((id_, vector) for id_, vector in connection.execute(query))
    return found


def _studied(parts: Sequence[GoldenPart], version: str) -> Any:
    c = _PICTURES.c
    serials = sorted({one.part for one in parts if one.part})
    return and_(c.part.in_(serials), c.purpose == Purpose.STUDY, c.model_version == version)


def reference_of(parts: Sequence[GoldenPart]) -> Mapping[str, str]:
    """What each golden part is, by its name."""
    return {one.name: one.is_a for one in parts}
