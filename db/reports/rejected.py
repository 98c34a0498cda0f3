"""Pictures that could not be judged, by camera and reason. Figures of pictures, not of parts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo
from typing import Any

from sqlalchemy import Engine, func, select, text

from db.base import table_of
from db.reports.picture_range import PictureRange, refuse_unknown
from db.reports.report import Cell, Report, Row
from db.session import reading
from db.tables import Inspection

_I = table_of(Inspection).c
# In the words of `ix_inspections_unjudged`: with bound values a plan could not know that it serves.
_UNJUDGED = text("verdict IN ('rejected', 'dead_letter')")
_BLANK: Row = {
    **dict.fromkeys(("line", "camera", "verdict", "reason"), ""),
    "pictures": 0,
    "share": 0.0,
    "last_at": None,
}
_NOTE = "Counted when it was found out: what cannot be read says no time of its own."


def rejected(engine: Engine, pictures: PictureRange, timezone: tzinfo) -> Report:
    """How many pictures of each camera were rejected or dead-lettered, for which reason.

    A row: `line, camera, verdict, reason, pictures, share, last_at`, most frequent first; `share`
    is of all pictures that the report counts. Line and camera are empty where the message could
    not be read. The range is one of `decided_at`.

    Raises:
        ReportError: nothing is found, and a name that it is narrowed to does not exist.
    """
    count = func.count().label("pictures")
    dims = (_I.line, _I.camera, _I.verdict, _I.reason)
    query = (
        select(*dims, count, func.max(_I.decided_at, type_=_I.decided_at.type).label("last_at"))
        .where(_UNJUDGED, *pictures.within(_I.decided_at), *pictures.named(_I))
        .group_by(*dims)
    )
    with reading(engine) as connection:
        found = connection.execute(query).all()
        if not found:
            refuse_unknown(connection, pictures)
    total = sum(row.pictures for row in found)
    rows: list[Row] = [
        {
            "line": row.line,
            "camera": row.camera,
            "verdict": row.verdict,
            "reason": row.reason,
            "pictures": row.pictures,
            "share": row.pictures / total,
            "last_at": row.last_at.astimezone(timezone),
        }
        for row in found
    ]
    return Report(
        "rejected",
        "Rejected pictures by camera and reason",
        tuple(sorted(rows, key=_order)),
        pictures.since and pictures.since.astimezone(timezone),
        pictures.until and pictures.until.astimezone(timezone),
        notes=(_NOTE,),
        empty="no picture was rejected in this time",
        blank=_BLANK,
    )


def _order(row: Mapping[str, Cell]) -> tuple[int, str, str, str]:
    number: Any = row["pictures"]
    return (-number, str(row["line"] or ""), str(row["camera"] or ""), str(row["reason"] or ""))
