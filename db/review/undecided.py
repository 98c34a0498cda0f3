"""Parts that people are to decide without having seen what a model said of them.

These are the open parts, and those of the audit sample that nobody has answered. They are treated
alike: were the sample's alone kept back, what is kept back would be known to be of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, select

from db.audit_sample.items import unanswered_among
from db.base import table_of
from db.labels.vocabulary import TAKEN_BACK
from db.parts.pairs import of_serials
from db.review.standing import standings
from db.review.waiting import as_uuid
from db.tables import Inspection, Part
from producer.contract import Verdict
from quality.audit.draw import PassName
from quality.parts.disposition import Disposition

_P, _I = table_of(Part).c, table_of(Inspection).c
_KEY = (_P.product, _P.serial, _P.scope, _P.pass_number)
_DECIDED = (Verdict.PASS, Verdict.DEFECT)
JUDGED = (*_DECIDED, Verdict.REVIEW)  # of pictures with other verdicts no model said anything


def undecided(connection: Connection, names: Iterable[PassName]) -> set[PassName]:
    """Those of these parts that wait for their first decision, as open ones or of the sample.

    What was decided and taken back is not among them: who decided has seen it.

    Args:
        connection: reads.
        names: of parts, and of pictures without a serial number; a few hundred at most.
    """
    wanted = list(dict.fromkeys(names))
    found = unanswered_among(connection, wanted)
    open_ = [one for one in _open(connection, wanted) if one not in found]
    said = standings(connection, open_) if open_ else {}
    return found | {one for one in open_ if not _taken_back(said[one].last)}


def _taken_back(word: Any) -> bool:
    return word is not None and word.said == TAKEN_BACK


def _open(connection: Connection, names: Sequence[PassName]) -> list[PassName]:
    rows = _dispositions(connection, names)
    alone = {one: as_uuid(one.scope) for one in names if not one.serial and one not in rows}
    ids = [id_ for id_ in alone.values() if id_ is not None]
    verdicts = dict(connection.execute(select(_I.id, _I.verdict).where(_I.id.in_(ids))).all())
    left = {one for one, id_ in alone.items() if verdicts.get(id_, Verdict.PASS) not in _DECIDED}
    return [one for one in names if one in left or rows.get(one) == Disposition.OPEN]


def _dispositions(connection: Connection, names: Sequence[PassName]) -> dict[PassName, str]:
    pairs = sorted({(one.product, one.serial) for one in names if one.serial})
    scopes = sorted({one.scope for one in names if not one.serial})
    products = sorted({one.product for one in names if not one.serial})
    found: dict[PassName, str] = {}
    columns = (*_KEY, _P.disposition)
    queries = []
    if pairs:
        queries.append(select(*columns).where(of_serials(_P.product, _P.serial, pairs), _P.counted))
    if scopes:
        alone = (_P.product.in_(products), _P.serial == "", _P.scope.in_(scopes), _P.counted)
        queries.append(select(*columns).where(*alone))
    for query in queries:
        found.update({PassName(*row[:4]): row[4] for row in connection.execute(query)})
    return found


def undecided_pictures(connection: Connection, pictures: Sequence[UUID]) -> set[UUID]:
    """Those of these pictures that show a part of which any pass is undecided."""
    query = select(_I.id, func.coalesce(_I.product, "").label("product"), _I.part)
    rows = connection.execute(query.where(_I.id.in_(pictures))).all()
    serials = sorted({(row.product, row.part) for row in rows if row.part})
    names = [PassName(row.product, "", str(row.id), 1) for row in rows if not row.part]
    if serials:
        passes = select(*_KEY).where(of_serials(_P.product, _P.serial, serials), _P.counted)
        names += [PassName(*row) for row in connection.execute(passes)]
    kept = undecided(connection, names)
    of_serial = {(one.product, one.serial) for one in kept if one.serial}
    alone = {one.scope for one in kept if not one.serial}
    return {row.id for row in rows if (row.product, row.part) in of_serial or str(row.id) in alone}
