"""Rows of labelled pictures: the latest label beside what reports ask of the inspection.

`db.parts.settle` keeps them, since it runs after every label and after every verdict that replaces
another, and holds the locks under which both are seen. On PostgreSQL that is the function
`linewatch_keep_labelled`.
"""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from sqlalchemy import Connection, Select, and_, delete, func, or_, select, text
from sqlalchemy.dialects import sqlite

from db.base import table_of
from db.labels.latest import latest_labels
from db.tables import Inspection, Label, LabelledPicture

_TABLE, _LABELS, _I = table_of(LabelledPicture), table_of(Label), table_of(Inspection).c
_CHUNK = 400  # SQLite binds a few thousand values a statement
_IN_THE_SERVER = text("SELECT linewatch_keep_labelled(CAST(:pictures AS uuid[]))")


def keep_labelled(connection: Connection, pictures: Collection[UUID]) -> int:
    """Make the rows of these pictures what the facts say; returns how many changed."""
    ids, changed = sorted(pictures), 0
    if connection.dialect.name == "postgresql":
        return int(connection.scalar(_IN_THE_SERVER, {"pictures": ids}) or 0) if ids else 0
    for start in range(0, len(ids), _CHUNK):
        changed += _keep(connection, ids[start : start + _CHUNK])
    return changed


def labelled_of(connection: Connection, serials: Collection[tuple[str, str]]) -> set[UUID]:
    """The labelled pictures of serial numbers: pairs of product and serial, a few hundred."""
    query = select(_I.id, func.coalesce(_I.product, "").label("product"), _I.part)
    query = query.join(_LABELS, _LABELS.c.inspection_id == _I.id)
    found = connection.execute(query.where(_I.part.in_({serial for _, serial in serials})))
    return {row.id for row in found if (row.product, row.part) in serials}


def wrong_labelled(connection: Connection) -> set[UUID]:
    """The pictures whose rows are not what the facts say."""
    said = _said().subquery()
    same = and_(*(said.c[c.name] == c for c in _TABLE.columns))
    missing = select(said.c.inspection_id).outerjoin(_TABLE, same)
    missing = missing.where(_TABLE.c.inspection_id.is_(None))
    known = select(_TABLE.c.inspection_id).outerjoin(
        said, said.c.inspection_id == _TABLE.c.inspection_id
    )
    stray = known.where(said.c.inspection_id.is_(None))
    return set(connection.scalars(missing)) | set(connection.scalars(stray))


def _keep(connection: Connection, ids: Collection[UUID]) -> int:
    """On SQLite."""
    insert = sqlite.insert(_TABLE)
    new = {c.name: insert.excluded[c.name] for c in _TABLE.columns if not c.primary_key}
    said = _said().where(_I.id.in_(ids))
    written = connection.execute(
        insert.from_select([c.name for c in _TABLE.columns], said).on_conflict_do_update(
            index_elements=[_TABLE.c.inspection_id],
            set_=new,
            where=or_(*(_TABLE.c[name] != value for name, value in new.items())),
        )
    )
    labelled = select(latest_labels().c.inspection_id)
    gone = connection.execute(
        delete(_TABLE).where(
            _TABLE.c.inspection_id.in_(ids), _TABLE.c.inspection_id.not_in(labelled)
        )
    )
    return written.rowcount + gone.rowcount


def _said() -> Select[tuple[object, ...]]:
    """What the facts say, in the table's columns."""
    newest = latest_labels()
    words = (_I.line, _I.lot, _I.model_version, _I.verdict, _I.defect_class)
    return select(
        *(_I.id.label("inspection_id"), newest.c.product, newest.c.label, newest.c.recorded_at),
        *(func.coalesce(word, "").label(word.name) for word in words),
        func.coalesce(_I.made_at, _I.captured_at, _I.decided_at, type_=_I.decided_at.type).label(
            "made_at"
        ),
    ).join(newest, newest.c.inspection_id == _I.id)
