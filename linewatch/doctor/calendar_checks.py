"""Checks of the shifts that parts are counted by."""

from __future__ import annotations

from collections.abc import Iterator

from linewatch.doctor.findings import Finding, State
from linewatch.settings import Settings


def shifts(settings: Settings) -> Iterator[Finding]:
    """Whether shifts are made far enough ahead, and in the plant's time zone."""
    from db.calendars.ahead import complaints
    from db.session import engine_for

    found = list(complaints(engine_for(settings.sql_url), settings.timezone))
    for sentence in found:
        yield Finding("shifts", State.WARN, sentence)
    if not found:
        yield Finding("shifts", State.OK, "made ahead, in the plant's time zone")
