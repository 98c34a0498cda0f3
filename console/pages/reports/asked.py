"""What the address of a report says: its filters and groups."""

# No `from __future__ import annotations`: FastAPI looks types up where a subclass stands.
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, tzinfo
from typing import Annotated
from urllib.parse import urlencode

from fastapi import Path, Query

from db.reports.report import asked_range
from db.storable_text import storable

_SINCE = "From: '2026-01-31T06:00', '24h', '7d', 'today'; by the plant's clock."
Text = Annotated[str | None, Query(max_length=4096)]


@dataclass(frozen=True)
class Asked:
    """Filters; empty ones do not narrow."""

    by: Annotated[list[str] | None, Query(description="What to group by; can be repeated.")] = None
    since: Annotated[str | None, Query(description=_SINCE, max_length=64)] = None
    until: Annotated[str | None, Query(description="To, exclusive.", max_length=64)] = None
    product: Text = None
    line: Text = None
    camera: Text = None
    lot: Text = None
    work_order: Text = None
    shift: Text = None
    class_: Annotated[str | None, Query(alias="class", max_length=4096)] = None

    def name(self, filter_: str) -> str | None:
        """One filter as the database keeps it; None where it is empty."""
        return storable(getattr(self, "class_" if filter_ == "class" else filter_) or None)

    def groups(self) -> tuple[str, ...]:
        """What to group by; words as the command line has them are taken as well."""
        return tuple(name.replace("-", "_") for name in self.by or () if name)

    def instants(self, timezone: tzinfo) -> tuple[datetime | None, datetime | None]:
        """`since` and `until` in UTC.

        Raises:
            ReportError: one is no time, or nothing can have been made between them.
        """
        return asked_range(self.since, self.until, datetime.now(UTC), timezone)

    def address(self, **changes: str | None) -> str:
        """The query of an address that asks the same, with changes."""
        said: list[tuple[str, str]] = [("by", name) for name in self.by or () if name]
        for one in fields(self):
            if one.name not in ("by", "report"):
                value = changes.get(one.name, getattr(self, one.name))
                if value:
                    said.append((one.name.rstrip("_"), value))
        return urlencode(said)


@dataclass(frozen=True)
class AskedReport(Asked):
    """A report of the catalogue, and its filters."""

    report: Annotated[str, Path(description="Its name, as in `linewatch report NAME`.")] = field(
        kw_only=True
    )
