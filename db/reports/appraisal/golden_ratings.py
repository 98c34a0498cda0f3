"""What people and the model said of golden pictures, whose class is beyond doubt.

A person's labels on a picture are that person's trials, in order of time; so are decisions on its
part, where that has no other golden picture. The model's are its verdicts on the picture, and on
pictures of the same part and camera that were taken for a study (`purpose: study`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, and_, or_, select

from db.base import table_of
from db.labels.decisions import OPEN
from db.labels.vocabulary import TAKEN_BACK
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
    """By person and part, what they said, in order of time."""
    good = good_classes(connection, product)
    by_id = {one.id: one for one in parts}
    by_serial = {one.part: one for one in parts if one.sole}
    said: list[tuple[Any, str, str, str]] = []
    label, decision = table_of(Label).c, table_of(PartDecision).c
    golden = select(_ITEMS.c.inspection_id).where(_ITEMS.c.product == product)
    query = select(label.labelled_at, label.labelled_by, label.inspection_id, label.label)
    query = query.where(label.inspection_id.in_(golden), label.label != TAKEN_BACK)
    for at, who, id_, code in connection.execute(query):
        if id_ in by_id:
            said.append((at, who, by_id[id_].name, CONFORMING if code in good else code))
    for start in range(0, len(serials := sorted(filter(None, by_serial))), 500):
        decided = select(
            *(decision.decided_at, decision.decided_by, decision.part, decision.defect_class)
        ).where(
            *(decision.product == product, decision.disposition != OPEN),
            decision.part.in_(serials[start : start + 500]),
        )
        for at, who, part, code in connection.execute(decided):
            said.append((at, who, by_serial[part].name, code or CONFORMING))
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for _, who, name, word in sorted(said):
        found[who][name].append(word)
    return {who: dict(of) for who, of in found.items()}


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
