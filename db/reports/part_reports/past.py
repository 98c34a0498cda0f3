"""What parts of before there were parts are counted: whether yet, and whether all of them."""

from __future__ import annotations

from datetime import datetime, tzinfo

from sqlalchemy import Connection, select

from db.base import table_of
from db.parts.backfill_mark import EVERYTHING, backfilled_until
from db.reports.report import plain
from db.tables import PartBackfill

_BACKFILL = table_of(PartBackfill).c
_UNFINISHED = (
    "pictures of before the last upgrade are still being counted: numbers of that time grow; "
    "`linewatch db backfill` counts them now"
)


def notes_on_past(
    connection: Connection, timezone: tzinfo, since: datetime | None = None
) -> tuple[str, ...]:
    """Sentences on what is not counted of the time from `since` on; none where all of it is."""
    notes = () if backfilled_until(connection) == EVERYTHING else (_UNFINISHED,)
    whole = connection.scalar(select(_BACKFILL.complete_since).where(_BACKFILL.name == "parts"))
    if whole is None or (since is not None and since >= whole):
        return notes
    return (
        *notes,
        f"before {plain(whole.astimezone(timezone))} most inspections were purged before there "
        "were counts of parts, so only those that people labelled are counted; `linewatch report "
        "pictures` has all of that time, as pictures by the hour of their verdict",
    )
