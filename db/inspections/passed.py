"""Parts that passed under a model, with the features of their pictures, in pages.

Every part is here of which anything is still known: one whose pictures are purged too, so that
nobody takes it for looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, Table, and_, exists, func, select, tuple_

from db.base import table_of
from db.inspections.passed_part import Passed, PassedPart, PassedPicture
from db.session import reading
from db.tables import Feature, Inspection, Part, PurgedView
from quality.parts.disposition import Disposition

PAGE = 500
_PARTS, _PICTURES, _PURGED = table_of(Part), table_of(Inspection), table_of(PurgedView)
_FEATURES = table_of(Feature)


def passed_parts(engine: Engine, wanted: Passed) -> Iterator[list[PassedPart]]:
    """Those with serial numbers by these, then the pictures without one, oldest first."""
    yield from _with_serials(engine, wanted)
    yield from _without_serials(engine, wanted)


def _with_serials(engine: Engine, wanted: Passed) -> Iterator[list[PassedPart]]:
    c = _PARTS.c
    key = (c.serial, c.scope, c.pass_number)
    columns = ("serial", "scope", "pass_number", "line", "lot", "made_at", "last_at")
    query = (
        select(*(c[name] for name in (*columns, "disposition", "decided_by")))
        .where(c.product == wanted.product, c.serial != "", c.counted)
        .where(c.model_disposition == Disposition.CONFORMING, *_of(_PARTS, wanted, c.made_at))
        .order_by(*key)
        .limit(PAGE)
    )
    last: Any = None
    while True:
        page = query if last is None else query.where(tuple_(*key) > tuple_(*last))
        with reading(engine) as connection:
            rows = connection.execute(page).all()
            pictures = _pictures(connection, wanted, sorted({row.serial for row in rows}))
        found = [_part(row, pictures.get(row.serial, ())) for row in rows]
        yield [part for part in found if part.pictures]
        if len(rows) < PAGE:
            return
        last = (rows[-1].serial, rows[-1].scope, rows[-1].pass_number)


def _part(row: Any, pictures: Sequence[tuple[datetime, PassedPicture]]) -> PassedPart:
    """Of the part's serial number, the pictures that were made in this pass."""
    where = (row.line, row.lot, row.made_at)
    part = PassedPart(
        row.serial, row.scope, row.pass_number, *where, row.disposition, row.decided_by
    )
    part.pictures = [one for at, one in pictures if row.made_at <= at <= row.last_at]
    return part


def _pictures(
    connection: Connection, wanted: Passed, serials: Sequence[str]
) -> dict[str, list[tuple[datetime, PassedPicture]]]:
    c = _PICTURES.c
    query = (
        _select_pictures(wanted)
        .add_columns(c.part)
        .where(c.part.in_(serials), *_judged(_PICTURES, wanted))
    )
    found: dict[str, list[tuple[datetime, PassedPicture]]] = {}
    for row in connection.execute(query):
        found.setdefault(row.part, []).append((row.made, _picture(row)))
    p = _PURGED.c
    gone = select(p.id, p.camera, p.part, p.made_at).where(
        p.part.in_(serials),
        *_judged(_PURGED, wanted),
        ~exists(select(c.id).where(c.id == p.id)),
    )
    for row in connection.execute(gone):
        picture = PassedPicture(row.id, row.camera or "", None, None, None, purged=True)
        found.setdefault(row.part, []).append((row.made_at, picture))
    return found


def _without_serials(engine: Engine, wanted: Passed) -> Iterator[list[PassedPart]]:
    c = _PICTURES.c
    made = _made_at()
    query = (
        _select_pictures(wanted)
        .add_columns(c.line, c.lot, c.decided_at)
        .where(func.coalesce(c.part, "") == "", *_judged(_PICTURES, wanted))
        .where(*_of(_PICTURES, wanted, made))
        .order_by(c.decided_at, c.id)
        .limit(PAGE)
    )
    last: Any = None
    while True:
        page = query
        if last is not None:
            page = query.where(tuple_(c.decided_at, c.id) > tuple_(last.decided_at, last.id))
        with reading(engine) as connection:
            rows = connection.execute(page).all()
            now = _decided(connection, wanted.product, [str(row.id) for row in rows])
        yield [
            _alone(row, *now.get(str(row.id), (Disposition.CONFORMING, "model"))) for row in rows
        ]
        if len(rows) < PAGE:
            return
        last = rows[-1]


def _alone(row: Any, disposition: str, decided_by: str) -> PassedPart:
    where = (row.line or "", row.lot or "", row.made)
    return PassedPart("", str(row.id), 1, *where, disposition, decided_by, [_picture(row)])


def _decided(
    connection: Connection, product: str, ids: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """What became of pictures without a serial number that something happened to."""
    c = _PARTS.c
    query = select(c.scope, c.disposition, c.decided_by)
    query = query.where(c.product == product, c.serial == "", c.scope.in_(ids))
    return {row.scope: (row.disposition, row.decided_by) for row in connection.execute(query)}


def _select_pictures(wanted: Passed) -> Any:
    c = _PICTURES.c
    same = and_(_FEATURES.c.inspection_id == c.id, _FEATURES.c.fingerprint == wanted.fingerprint)
    query = select(
        *(c.id, c.camera, c.image_uri, c.image_sha256, _FEATURES.c.vector),
        _made_at().label("made"),
    )
    return query.select_from(_PICTURES.outerjoin(_FEATURES, same))


def _made_at() -> ColumnElement[datetime]:
    c = _PICTURES.c
    return func.coalesce(c.made_at, c.captured_at, c.decided_at)


def _picture(row: Any) -> PassedPicture:
    return PassedPicture(row.id, row.camera or "", row.image_uri, row.image_sha256, row.vector)


def _judged(table: Table, wanted: Passed) -> list[ColumnElement[bool]]:
    c = table.c
    found = [c.product == wanted.product, c.model_version == wanted.version, c.verdict == "pass"]
    return found + ([c.camera == wanted.camera] if wanted.camera is not None else [])


def _of(table: Table, wanted: Passed, made_at: ColumnElement[Any]) -> Iterator[ColumnElement[bool]]:
    for name in ("line", "lot"):
        value = getattr(wanted, name)
        if value is not None:
            yield func.coalesce(table.c[name], "") == value
    if wanted.since is not None:
        yield made_at >= wanted.since
    if wanted.until is not None:
        yield made_at < wanted.until
