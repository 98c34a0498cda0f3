"""When, with what and in whose time a file was made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from db.reports.report import Report, plain


@dataclass(frozen=True, slots=True)
class Made:
    """What a file says of itself.

    Attributes:
        at: when it was made, by the plant's clock.
        version: of Linewatch.
    """

    at: datetime
    version: str

    @property
    def timezone(self) -> str:
        """The plant's time zone by its name: "Europe/Berlin"."""
        return str(self.at.tzinfo)

    def about(self, report: Report) -> dict[str, Any]:
        """All that there is to say of a report beside its rows, as JSON has it."""
        since, until = (
            None if at is None else plain(at.astimezone(self.at.tzinfo))
            for at in (report.since, report.until)
        )
        return {
            "report": report.name,
            "title": report.title,
            "since": since,
            "until": until,
            "timezone": self.timezone,
            "notes": list(report.notes),
            "made_at": self.at.isoformat(timespec="seconds"),
            "linewatch": self.version,
        }
