"""How often the model's word on a part is what people said of it: its sensitivity and specificity.

Of parts that people decided, for whatever reason, and of golden parts: no random sample of what the
line makes, and the model may have learned from them. For a line without an audit sample.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from sqlalchemy import Connection, and_, select

from db.base import table_of
from db.reports.part_reports import counted
from db.reports.part_reports.filters import PartFilters
from db.reports.part_reports.period import Period
from db.tables import DefectClass, GoldenItem, Inspection, Part
from quality.intervals.prevalence import Proportion
from quality.parts.disposition import By, Disposition

_KINDS = ("again", "decided_by", "model_disposition", "disposition")
_BAD, _GOOD = Disposition.NONCONFORMING, Disposition.CONFORMING


def sensitivity_and_specificity(
    connection: Connection, product: str
) -> tuple[Proportion | None, Proportion | None]:
    """Of all of a product's parts; None where no part is of the kind.

    A part that the model left open is in neither.
    """
    pairs = _decided(connection, product) + _golden(connection, product)
    shares = []
    for kind in (_BAD, _GOOD):
        trials = sum(n for (_, is_a), n in pairs.items() if is_a == kind)
        hits = pairs[kind, kind]
        shares.append(Proportion(hits, trials) if trials else None)
    return shares[0], shares[1]


def _decided(connection: Connection, product: str) -> Counter[tuple[str, str]]:
    """What the model said and what people said, of parts that they decided."""
    found: Counter[tuple[str, str]] = Counter()
    sums = counted.numbers(connection, PartFilters(product=product), Period(), _KINDS)
    for (again, decided_by, by_model, disposition), count in sums.items():
        if not again and decided_by == By.PERSON and by_model != Disposition.OPEN:
            found[by_model, disposition] += count
    return found


def _golden(connection: Connection, product: str) -> Counter[tuple[str, str]]:
    """The same of golden parts that nobody decided: the worst of a part's golden pictures."""
    item, picture = table_of(GoldenItem).c, table_of(Inspection).c
    part, code = table_of(Part).c, table_of(DefectClass).c
    same = and_(
        part.product == item.product,
        part.serial == picture.part,
        part.counted,
        picture.made_at.between(part.made_at, part.last_at),
    )
    query = (
        select(part.serial, part.scope, part.model_disposition, code.good)
        .select_from(table_of(GoldenItem))
        .join(table_of(Inspection), picture.id == item.inspection_id)
        .join(table_of(Part), same)
        .join(table_of(DefectClass), and_(code.product == item.product, code.code == item.label))
        .where(item.product == product, part.decided_by == By.MODEL, part.pass_number == 1)
    )
    good: dict[tuple[Any, ...], bool] = {}
    for serial, scope, by_model, is_good in connection.execute(query):
        key = (serial, scope, by_model)
        good[key] = good.get(key, True) and bool(is_good)
    return Counter((key[2], _GOOD if is_good else _BAD) for key, is_good in good.items())
