"""Parts are drawn where they are settled; on SQLite, see `linewatch_draw` for PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, delete, exists, select

from db.audit_sample.shares import wanted
from db.base import table_of
from db.clock import database_now
from db.parts.pairs import of_serials
from db.tables import AuditDraw, Part
from db.upsert import insert_into
from quality.audit.draw import PassName, draw
from quality.parts.disposition import Disposition

_TABLE, _PARTS = table_of(AuditDraw), table_of(Part)
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


def forget_parts(connection: Connection, serials: Sequence[tuple[str, str]]) -> None:
    """Take out the passes of these serial numbers that are no parts any more."""
    counted = [_PARTS.c[name] == _TABLE.c[name] for name in PassName._fields]
    connection.execute(
        delete(_TABLE).where(
            of_serials(_TABLE.c.product, _TABLE.c.serial, serials),
            ~exists(select(_PARTS.c.product).where(*counted, _PARTS.c.counted)),
        )
    )
