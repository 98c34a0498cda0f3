"""How many labels each class has, how many it needs, and what came since the last training."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, case, exists, func, select

from db.base import table_of
from db.reports.picture_range import PictureRange, refuse_unknown
from db.reports.report import Report, Row
from db.session import reading
from db.tables import DefectClass, GoldenItem, LabelledPicture, TrainingRun

_CLASSES, _GOLDEN, _RUNS = table_of(DefectClass), table_of(GoldenItem), table_of(TrainingRun)
_LABELLED = table_of(LabelledPicture)
_Class = tuple[str, str]  # product, class
_BLANK: Row = {
    "product": "",
    "class": "",
    "good": False,
    "in_product": False,
    **dict.fromkeys(("labelled", "golden", "needed", "missing", "new"), 0),
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What training wants, as the settings say.

    Attributes:
        pictures: of a class; with fewer it helps to train and is never tested: the folds.
        labels: new ones of a product, after which it is trained again by itself.
    """

    pictures: int
    labels: int


def label_progress(engine: Engine, wanted: Wanted, *, product: str | None = None) -> Report:
    """Labelled pictures by product and class, in the classes' order.

    A row: `product, class, good, in_product, labelled, golden, needed, missing, new`. A picture
    counts by its latest label. `labelled` are those to learn from; `golden` ones are kept to
    compare models on. `new` of the labelled were recorded since the last training run began.
    A class that left the product is there while pictures have its label, with `in_product` false.

    Raises:
        ReportError: there is no such product.
    """
    with reading(engine) as connection:
        classes = _classes(connection, product)
        labelled, new = _labelled(connection, product)
        golden = _golden(connection, product)
        if product is not None and not (classes or labelled or golden):
            refuse_unknown(connection, PictureRange(product=product))
    gone = sorted((labelled.keys() | golden.keys()) - classes.keys())
    rows: list[Row] = [
        {
            "product": code,
            "class": name,
            "good": classes.get((code, name)),
            "in_product": (code, name) in classes,
            "labelled": labelled[code, name],
            "golden": golden[code, name],
            "needed": wanted.pictures if (code, name) in classes else 0,
            "missing": _missing((code, name), classes, labelled, wanted),
            "new": new[code, name],
        }
        for code, name in [*classes, *gone]
    ]
    return Report(
        "label-progress",
        "Labels by class",
        tuple(rows),
        notes=_notes(new, wanted),
        empty="no product is registered, and nothing is labelled",
        blank=_BLANK,
    )


def _missing(
    one: _Class, classes: dict[_Class, bool], labelled: Counter[_Class], wanted: Wanted
) -> int:
    return max(0, wanted.pictures - labelled[one]) if one in classes else 0


def _notes(new: Counter[_Class], wanted: Wanted) -> tuple[str, ...]:
    by_product: Counter[str] = Counter()
    for (product, _), count in new.items():
        by_product[product] += count
    notes = [
        f"A class needs {wanted.pictures} labelled pictures to be tested by cross-validation; with "
        "fewer it only helps to train."
    ]
    notes += [
        f"{product} has {count} newly labelled pictures; {wanted.labels} new labels train it again."
        for product, count in sorted(by_product.items())
    ]
    return tuple(notes)


def _classes(connection: Connection, product: str | None) -> dict[_Class, bool]:
    """Whether each class is the good one, in order."""
    c = _CLASSES.c
    query = select(c.product, c.code, c.good).order_by(c.product, c.position, c.code)
    if product is not None:
        query = query.where(c.product == product)
    return {(row.product, row.code): row.good for row in connection.execute(query)}


def _labelled(
    connection: Connection, product: str | None
) -> tuple[Counter[_Class], Counter[_Class]]:
    """Pictures to learn from, and those of them whose label came since the last run began."""
    last = (
        select(_RUNS.c.product, func.max(_RUNS.c.started_at).label("at"))
        .group_by(_RUNS.c.product)
        .subquery()
    )
    is_golden = exists(
        select(_GOLDEN.c.inspection_id).where(_GOLDEN.c.inspection_id == _LABELLED.c.inspection_id)
    )
    since = last.c.at.is_(None) | (_LABELLED.c.recorded_at > last.c.at)
    query = (
        select(
            _LABELLED.c.product,
            _LABELLED.c.label,
            func.count().label("labelled"),
            func.sum(case((since, 1), else_=0)).label("new"),
        )
        .outerjoin(last, last.c.product == _LABELLED.c.product)
        .where(~is_golden)
        .group_by(_LABELLED.c.product, _LABELLED.c.label)
    )
    if product is not None:
        query = query.where(_LABELLED.c.product == product)
    labelled: Counter[_Class] = Counter()
    new: Counter[_Class] = Counter()
    for row in connection.execute(query):
        labelled[row.product, row.label] = int(row.labelled)
        new[row.product, row.label] = int(row.new)
    return labelled, new


def _golden(connection: Connection, product: str | None) -> Counter[_Class]:
    """Pictures in any golden set."""
    c = _GOLDEN.c
    query = select(c.product, c.label, func.count(c.inspection_id.distinct()))
    if product is not None:
        query = query.where(c.product == product)
    found: Any = connection.execute(query.group_by(c.product, c.label))
    return Counter({(code, label): count for code, label, count in found})
