"""Facts about parts as `quality.parts.parts` wants them, of a few hundred parts at once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, exists, select

from db.base import table_of
from db.challenges.pictures import without_challenges
from db.parts.pairs import of_serials
from db.parts.slices import Slices
from db.tables import DefectClass, Inspection, Label, PartDecision, Product, PurgedView
from producer.contract import Purpose, Verdict
from quality.parts.disposition import Decision, Disposition, View
from quality.parts.parts import PASS_GAP_S, Picture, Said, production_time

_INSPECTIONS = table_of(Inspection).c
_PURGED = table_of(PurgedView).c
_OPTIONS = select(Product.code, Product.options).where(
    Product.code.in_(bindparam("products", expanding=True))
)
_SHARED = (
    "id",
    "product",
    "part",
    "line",
    "camera",
    "lot",
    "work_order",
    "model_version",
    "verdict",
    "defect_class",
    "pass_number",
    "views",
    "purpose",
    "made_at",
    "by_receipt",
)


@dataclass(frozen=True, slots=True)
class Rules:
    """What a product file says of its parts.

    Attributes:
        within: what a serial number is unique in: product, lot or day.
        good: its class that passes.
    """

    gap_s: float = PASS_GAP_S
    within: str = "product"
    views: tuple[str, ...] = ()
    good: frozenset[str] = frozenset()


def rules_of(connection: Connection, products: Collection[str]) -> dict[str, Rules]:
    """The rules of each product, also of those that are not registered."""
    good: defaultdict[str, set[str]] = defaultdict(set)
    classes = select(DefectClass.product, DefectClass.code).where(DefectClass.good)
    for product, code in connection.execute(classes.where(DefectClass.product.in_(products))):
        good[product].add(code)
    said = options_of(connection, products)
    return {one: rules_from(said.get(one), frozenset(good[one])) for one in products}


def options_of(connection: Connection, products: Collection[str]) -> dict[str, dict[str, Any]]:
    """What the files of those products that are registered say besides their classes."""
    found = connection.execute(_OPTIONS, {"products": list(products)})
    return {code: options or {} for code, options in found}


def rules_from(said: Mapping[str, Any] | None, good: frozenset[str]) -> Rules:
    """The rules of a product whose file says this; None: it is not registered."""
    if said is None:
        return Rules()
    return Rules(
        gap_s=float(said.get("pass_gap_s") or PASS_GAP_S),
        within=said.get("serial_unique_within") or "product",
        views=tuple(said.get("views") or ()),
        good=good,
    )


def pictures_of(
    connection: Connection, wanted: Sequence[tuple[str, str]], rules: Mapping[str, Rules]
) -> dict[Any, list[Picture]]:
    """The pictures of serial numbers, those included of which only the views are kept.

    Those of challenges are not: they are no production.
    """
    mine = set(wanted)
    serials = sorted({serial for _, serial in wanted})
    columns = [_INSPECTIONS[name] for name in _SHARED]
    query = select(*columns, _INSPECTIONS.captured_at, _INSPECTIONS.decided_at)
    rows: list[Any] = list(connection.execute(query.where(_INSPECTIONS.part.in_(serials))))
    rows = [row for row in rows if (row.product or "", row.part) in mine]
    gone = select(*(_PURGED[name] for name in _SHARED))
    gone = gone.where(
        of_serials(_PURGED.product, _PURGED.part, wanted),
        ~exists(select(_INSPECTIONS.id).where(_INSPECTIONS.id == _PURGED.id)),
    )
    labels, slices = _labels(connection, [row.id for row in rows]), Slices(connection)
    rows += connection.execute(gone)
    found: defaultdict[tuple[str, str], list[Picture]] = defaultdict(list)
    for row in without_challenges(connection, rows, {row.id: _made(row)[0] for row in rows}):
        key = (row.product or "", row.part)
        found[key].append(_picture(slices, row, rules[key[0]], labels.get(row.id)))
    return dict(found)


def challenge_pictures(
    connection: Connection,
    line: str,
    wanted: Sequence[tuple[str, str]],
    rules: Mapping[str, Rules],
    since: datetime,
    until: datetime,
) -> dict[Any, list[Picture]]:
    """What the model said of pictures of a challenge: those made from `since` up to `until`."""
    c, mine = _INSPECTIONS, set(wanted)
    columns = [c[name] for name in _SHARED]
    query = select(*columns, c.captured_at, c.decided_at).where(
        c.part.in_(sorted({serial for _, serial in wanted})),
        c.line == line,
        c.purpose == Purpose.CHALLENGE,
    )
    slices = Slices(connection)
    found: defaultdict[tuple[str, str], list[Picture]] = defaultdict(list)
    for row in connection.execute(query):
        key = (row.product or "", row.part)
        if key in mine and since <= _made(row)[0] < until:
            found[key].append(_picture(slices, row, rules[key[0]], None))
    return dict(found)


def single_pictures(connection: Connection, pictures: Iterable[UUID]) -> list[tuple[str, Picture]]:
    """Pictures without a serial number, each with its product: a part of its own, in pass 1."""
    columns = [_INSPECTIONS[name] for name in _SHARED]
    query = select(*columns, _INSPECTIONS.captured_at, _INSPECTIONS.decided_at)
    query = query.where(_INSPECTIONS.id.in_(list(pictures)))
    query = query.where(_INSPECTIONS.part.is_(None) | (_INSPECTIONS.part == ""))
    rows = connection.execute(query.order_by(_INSPECTIONS.id)).all()
    rules = rules_of(connection, {row.product or "" for row in rows})
    labels, slices = _labels(connection, [row.id for row in rows]), Slices(connection)
    found = []
    for row in rows:
        product = row.product or ""
        alone = Rules(good=rules[product].good)
        picture = _picture(slices, row, alone, labels.get(row.id))
        found.append((product, replace(picture, scope=picture.id, pass_number=1, expected=())))
    return found


def decisions_on(
    connection: Connection, wanted: Sequence[tuple[str, str]]
) -> dict[Any, list[Said]]:
    """Every decision on these serial numbers."""
    c = table_of(PartDecision).c
    query = select(
        *(c.id, c.product, c.part, c.pass_number, c.disposition, c.defect_class, c.decided_at)
    )
    found: defaultdict[tuple[str, str], list[Said]] = defaultdict(list)
    for row in connection.execute(query.where(of_serials(c.product, c.part, wanted))):
        taken_back = row.disposition == Disposition.OPEN
        decision = Decision(row.defect_class, row.decided_at, row.id, taken_back=taken_back)
        found[row.product, row.part].append(Said(decision, row.pass_number))
    return dict(found)


def _labels(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The latest label of each picture that has one; of '' nothing is left."""
    c = table_of(Label).c
    query = select(c.inspection_id, c.label).where(c.inspection_id.in_(ids))
    newest: dict[UUID, str] = dict(connection.execute(query.order_by(c.labelled_at, c.id)).all())
    return {id_: label for id_, label in newest.items() if label}


def _picture(slices: Slices, row: Any, rules: Rules, label: str | None) -> Picture:
    made_at, by_receipt = _made(row)
    camera = row.camera or ""
    return Picture(
        id=str(row.id),
        made_at=made_at,
        by_receipt=by_receipt,
        view=_view(camera, row.verdict, row.defect_class),
        labelled=_labelled(camera, label, rules.good),
        scope=scope_of(slices, row, made_at, rules),
        pass_number=row.pass_number,
        expected=tuple(row.views or rules.views),
        line=row.line or "",
        lot=row.lot or "",
        work_order=row.work_order or "",
        model_version=row.model_version or "",
    )


def scope_of(slices: Slices, row: Any, made_at: datetime, rules: Rules) -> str:
    """Within what a picture's serial number means one part: a lot, a day, or "" for all."""
    if rules.within == "day":
        return slices.of(row.line or "", made_at).plant_day.isoformat()
    return (row.lot or "") if rules.within == "lot" else ""


def made_at_of(row: Any) -> datetime:
    """When a picture counts as made, from its row of inspections."""
    return _made(row)[0]


def _made(row: Any) -> tuple[datetime, bool]:
    if row.made_at is None:  # an inspection of before there were parts
        return production_time(row.captured_at, row.decided_at)
    return row.made_at, row.by_receipt


def _view(camera: str, verdict: str, defect_class: str | None) -> View:
    if verdict == Verdict.DEFECT:
        return View(camera, defect=defect_class or "")
    if verdict == Verdict.PASS:
        return View(camera)
    return View(camera, decided=False, rejected=verdict != Verdict.REVIEW)


def _labelled(camera: str, label: str | None, good: frozenset[str]) -> View | None:
    if label is None:
        return None
    return View(camera, defect=None if label in good else label, by_person=True)
