"""Pictures that say they are a challenge's and are none: ordinary parts, and an alert.

Else a camera that is set up wrongly, or somebody who wants it so, would keep bad parts out of the
figures.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from db import alerts
from db.challenges.pictures import Challenged, Shown
from db.clock import database_now
from producer.contract import Purpose
from quality.parts.parts import production_time

STRAY = "challenge_stray"
STRAY_PART = (
    "{line}: part {serial} came with purpose 'challenge' while "
    "no challenge of the line names it; such parts count as ordinary production; start one with "
    "`linewatch challenge start {line} --part SERIAL`, or see what the camera says"
)
STRAY_NAMELESS = (
    "{line}: a part without a serial number came with purpose 'challenge' while "
    "no challenge of the line names it; such parts count as ordinary production; start one with "
    "`linewatch challenge start {line} --part SERIAL`, or see what the camera says"
)


def alert_strays(connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Raise an alert of each line that has such pictures, unless one stands.

    Args:
        rows: new inspections, as they are stored.
    """
    said = [row for row in rows if row["purpose"] == Purpose.CHALLENGE]
    if not said:
        return
    serials = {(row["product"] or "", row["part"]) for row in said if row["part"]}
    challenged, now = Challenged(connection, sorted(serials)), database_now(connection)
    first: dict[str, str] = {}
    for row in said:
        made_at, _ = production_time(row["captured_at"], now)
        shown = Shown(row["line"] or "", row["product"] or "", row["part"] or "")
        if not challenged.at(shown, made_at):
            first.setdefault(shown.line, shown.serial)
    for line, serial in sorted(first.items()):
        template = STRAY_PART if serial else STRAY_NAMELESS
        message = template.format(line=line, serial=serial)
        alerts.raise_once(connection, line=line, kind=STRAY, message=message)
