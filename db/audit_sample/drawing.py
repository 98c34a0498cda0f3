"""Parts are drawn where they are settled; on SQLite, see `linewatch_draw` for PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, delete

from db.audit_sample.shares import wanted
from db.base import table_of
from db.clock import database_now
from db.tables import AuditDraw
from db.upsert import insert_into
from quality.audit.draw import PassName, draw
from quality.parts.disposition import Disposition

_TABLE = table_of(AuditDraw)
_COPIED = ("model_disposition", "model_classes", "line", "lot", "made_at", "slice_at")


def draw_parts(connection: Connection, rows: Iterable[Mapping[str, Any]]) -> None:
    """Draw, of rows as `parts` has them, those whose time has come: the model's word is final.

    Of the share that was wanted when they were made, so that it does not matter when this is
    called. What is drawn already stays as it was drawn.
    """
    final = [row for row in rows if row["model_disposition"] != Disposition.OPEN]
    by_product = wanted(connection, {row["product"] for row in final})
    found, now = [], None
    for row in final:
        if (of := by_product.get(row["product"])) is None:
            continue
        name = PassName(row["product"], row["serial"], row["scope"], row["pass_number"])
        drawn, share = draw(of.seed, name), of.share_at(row["slice_at"])
        if drawn.drawn(share):
            now = now or database_now(connection)
            more = {"id": drawn.id, "share": share, "drawn_at": now}
            found.append({**name._asdict(), **more, **{key: row[key] for key in _COPIED}})
    if found:
        connection.execute(insert_into(connection, _TABLE).on_conflict_do_nothing(), found)


def forget_passes(connection: Connection, gone: Sequence[Mapping[str, Any]]) -> None:
    """Take out passes that are no parts any more, of rows as `parts` had them.

    Those alone: parts that a purge took stay in the sample, with what people said of them.
    """
    mine = [_TABLE.c[name] == bindparam(f"old_{name}") for name in PassName._fields]
    names = [{f"old_{name}": row[name] for name in PassName._fields} for row in gone]
    if names:
        connection.execute(delete(_TABLE).where(*mine), names)
