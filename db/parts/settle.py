"""The one way to change what is counted of parts: from the facts, whoever wrote them.

After rows of `inspections`, `labels` or `decisions` are written, and in the same transaction,
`settle` makes the rows of `parts` what these facts say and moves the counts by the difference. So
it does not matter in which order views, labels and decisions arrive. On PostgreSQL it is the
function `linewatch_settle`, since programs may not write counts; on SQLite, where a write
transaction is alone, it is done here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Connection, bindparam, delete, func, select, text
from sqlalchemy.dialects import sqlite

from db.audit_sample.drawing import draw_parts, forget_passes
from db.base import table_of
from db.parts.backfill_mark import backfilled_until
from db.parts.counts import add_counts, change
from db.parts.facts import decisions_on, pictures_of, rules_of, single_pictures
from db.parts.labelled import keep_labelled, labelled_of
from db.parts.pairs import of_serials
from db.parts.plain import settle_plain
from db.parts.slices import Slices
from db.tables import Inspection, Part
from quality.parts.disposition import Outcome
from quality.parts.parts import PartPass, PassKey, Picture, part_passes

_TABLE = table_of(Part)
_KEY = ("product", "serial", "scope", "pass_number")
_DELETE = delete(_TABLE).where(*(_TABLE.c[name] == bindparam(f"old_{name}") for name in _KEY))
_INSERT = sqlite.insert(_TABLE)
_UPSERT = _INSERT.on_conflict_do_update(
    index_elements=_KEY,
    set_={c.name: _INSERT.excluded[c.name] for c in _TABLE.columns if c.name not in _KEY},
)
_CHUNK = 400  # SQLite binds a few thousand values a statement
_IN_THE_SERVER = text(
    "SELECT linewatch_settle(CAST(:products AS text[]), CAST(:serials AS text[]),"
    " CAST(:pictures AS uuid[]))"
)

Row = dict[str, Any]


class Serial(NamedTuple):
    """A serial number of a product; product '' where the message could not be read."""

    product: str
    serial: str


def settle(
    connection: Connection, serials: Iterable[Serial], pictures: Iterable[UUID] = ()
) -> None:
    """Bring parts and counts to what the facts say.

    Args:
        serials: whose inspections, labels or decisions were written in this transaction.
        pictures: those without a serial number that were labelled in it.
    """
    wanted, single = sorted(set(serials)), sorted(set(pictures))
    if connection.dialect.name == "postgresql":
        if wanted or single:
            words = {"products": [one.product for one in wanted], "pictures": single}
            connection.execute(_IN_THE_SERVER, {**words, "serials": [s.serial for s in wanted]})
        return
    for start in range(0, len(wanted), _CHUNK):
        chunk = wanted[start : start + _CHUNK]
        plain = settle_plain(connection, chunk)
        _settle_serials(connection, [one for one in chunk if one not in plain])
    for start in range(0, len(single), _CHUNK):
        _settle_pictures(connection, single[start : start + _CHUNK])


def parts_of(connection: Connection, pictures: Sequence[UUID]) -> tuple[list[Serial], list[UUID]]:
    """The serial numbers of inspections, and those inspections that have none."""
    c = table_of(Inspection).c
    serials, single = [], []
    for start in range(0, len(pictures), _CHUNK):
        query = select(c.id, c.product, c.part)
        chunk = pictures[start : start + _CHUNK]
        for row in connection.execute(query.where(c.id.in_(chunk))):
            if row.part:
                serials.append(Serial(row.product or "", row.part))
            else:
                single.append(row.id)
    return serials, single


def adopt(connection: Connection, pictures: Sequence[UUID]) -> None:
    """Give pictures without a serial number a row that says what is counted of them, if need be.

    Only on SQLite: what happens to such a picture after its commit is a change of this row. Those
    of before there were parts are not counted until the backfill comes to them.
    """
    known = with_rows(connection, pictures)
    found = single_pictures(connection, [id_ for id_ in pictures if id_ not in known])
    # A label that has just been written is not counted yet.
    rows = _rows_of_pictures(connection, [(p, replace(one, labelled=None)) for p, one in found])
    if rows:
        uncounted = _uncounted(connection, pictures)
        for row in rows:
            row["counted"] = row["scope"] not in uncounted
        connection.execute(_TABLE.insert(), rows)


def with_rows(connection: Connection, pictures: Sequence[UUID]) -> frozenset[UUID]:
    """Those pictures without a serial number, all still there, that have a row of their own."""
    c = table_of(Inspection).c
    products = select(func.coalesce(c.product, "")).where(c.id.in_(pictures))
    query = select(_TABLE.c.scope).where(_TABLE.c.product.in_(products), _TABLE.c.serial == "")
    found = connection.execute(query.where(_TABLE.c.scope.in_([str(id_) for id_ in pictures])))
    return frozenset(UUID(scope) for scope in found.scalars())


def _uncounted(connection: Connection, pictures: Sequence[UUID]) -> frozenset[str]:
    c = table_of(Inspection).c
    query = select(c.id).where(c.id.in_(pictures), c.made_at.is_(None))
    old = connection.execute(query.where(c.id > backfilled_until(connection)))
    return frozenset(str(id_) for id_ in old.scalars())


def count_pictures(connection: Connection, pictures: Sequence[UUID]) -> None:
    """Count new pictures without a serial number, which need no row; on SQLite."""
    if not pictures:
        return
    rows = picture_rows(connection, pictures)
    add_counts(connection, change([], rows))
    draw_parts(connection, rows)


def picture_rows(connection: Connection, pictures: Sequence[UUID]) -> list[Row]:
    """The rows that pictures without a serial number would have, if they needed any."""
    found: list[Row] = []
    for start in range(0, len(pictures), _CHUNK):
        some = single_pictures(connection, pictures[start : start + _CHUNK])
        found += _rows_of_pictures(connection, some)
    return found


def _settle_serials(connection: Connection, wanted: Sequence[Serial]) -> None:
    if not wanted:
        return
    rules = rules_of(connection, {one.product for one in wanted})
    pictures = pictures_of(connection, wanted, rules)
    said, slices = decisions_on(connection, wanted), Slices(connection)
    new = [
        _row(slices, serial, key, part)
        for serial in wanted
        for key, part in part_passes(
            pictures.get(serial, []), said.get(serial, ()), gap_s=rules[serial.product].gap_s
        ).items()
    ]
    old = _rows(connection, wanted)
    _replace(connection, old, new)
    draw_parts(connection, new)
    keep_labelled(connection, labelled_of(connection, wanted))


def _settle_pictures(connection: Connection, pictures: Sequence[UUID]) -> None:
    adopt(connection, pictures)
    found = single_pictures(connection, pictures)
    old = _rows(connection, [(product, "") for product, _ in found], found)
    new = _rows_of_pictures(connection, found)
    _replace(connection, old, new)
    draw_parts(connection, new)
    keep_labelled(connection, pictures)


def _rows_of_pictures(connection: Connection, pictures: Sequence[tuple[str, Picture]]) -> list[Row]:
    slices = Slices(connection)
    return [
        _row(slices, Serial(product, ""), key, part)
        for product, picture in pictures
        for key, part in part_passes([picture]).items()
    ]


def _replace(connection: Connection, old: Sequence[Row], new: Sequence[Row]) -> None:
    before = {_key(row): row for row in old}
    written = [row for row in new if before.get(_key(row)) != row]
    kept = {_key(row) for row in new}
    gone = [row for row in old if _key(row) not in kept]
    if not written and not gone:
        return
    if gone:
        connection.execute(_DELETE, [{f"old_{name}": row[name] for name in _KEY} for row in gone])
        forget_passes(connection, gone)
    if written:
        connection.execute(_UPSERT, written)
    replaced = [before[_key(row)] for row in written if _key(row) in before]
    counted = [row for row in (*gone, *replaced) if row["counted"]]
    add_counts(connection, change(counted, written))


def _rows(
    connection: Connection,
    serials: Sequence[tuple[str, str]],
    single: Sequence[tuple[str, Picture]] | None = None,
) -> list[Row]:
    """The stored rows of serial numbers; where `single` is given, of these pictures alone."""
    query = select(_TABLE).where(of_serials(_TABLE.c.product, _TABLE.c.serial, serials))
    if single is not None:
        query = query.where(_TABLE.c.scope.in_([picture.id for _, picture in single]))
    rows = connection.execute(query.order_by(*(_TABLE.c[name] for name in _KEY))).mappings()
    return [dict(row) for row in rows]


def _row(slices: Slices, serial: Serial, key: PassKey, part: PartPass) -> Row:
    return {
        "product": serial.product,
        "serial": serial.serial,
        "scope": key.scope,
        "pass_number": key.pass_number,
        "counted": True,
        "views": part.views,
        "line": part.line,
        "lot": part.lot,
        "work_order": part.work_order,
        "model_version": part.model_version,
        **_words(part.outcome),
        "decided_by": str(part.outcome.by),
        "why": str(part.outcome.why or ""),
        **{f"model_{name}": value for name, value in _words(part.model).items()},
        "made_at": part.made_at,
        "last_at": part.last_at,
        "by_receipt": part.by_receipt,
        **slices.of(part.line, part.made_at, part.quarter_at)._asdict(),
    }


def _key(row: Row) -> tuple[Any, ...]:
    return tuple(row[name] for name in _KEY)


def _words(outcome: Outcome) -> Mapping[str, str]:
    return {"disposition": str(outcome.disposition), "classes": "+".join(outcome.classes)}
