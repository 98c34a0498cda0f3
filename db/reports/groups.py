"""What reports about pictures can be narrowed to and grouped by. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from db.reports.rows import Group
from db.reports.shifts import Shift
from linewatch.errors import ReportError

COLUMNS = ("line", "camera", "product", "lot")
TIMES = ("hour", "shift", "day")
GROUPS = (*COLUMNS, *TIMES)


@dataclass(frozen=True, slots=True)
class Filters:
    """What a report covers; None does not narrow.

    Times are rounded to whole plant hours: the hour of `since` is in, and so is the hour in which
    `until` falls, unless it begins at `until`.
    """

    since: datetime | None = None
    until: datetime | None = None
    product: str | None = None
    line: str | None = None
    camera: str | None = None
    lot: str | None = None


@dataclass(frozen=True, slots=True)
class Grouping:
    """Which columns to group by, and how hours become shifts and days.

    A camera's code is its line's own, so grouping by camera groups by line too. Beside `shift`,
    `day` is the day on which the shift began; alone it is the calendar's.
    """

    by: tuple[str, ...]
    shifts: Sequence[Shift]
    timezone: tzinfo

    @classmethod
    def of(cls, by: Sequence[str], shifts: Sequence[Shift], timezone: tzinfo) -> Grouping:
        """Check the names.

        Raises:
            ReportError: nothing is grouped by such a name.
        """
        for name in by:
            if name not in GROUPS:
                raise ReportError(f"cannot group by {name!r}; choose from {', '.join(GROUPS)}")
        names = list(dict.fromkeys(by))
        if "camera" in names and "line" not in names:
            names.insert(names.index("camera"), "line")
        return cls(tuple(names), shifts, timezone)

    def group(self, key: tuple[str, ...]) -> Group:
        """A key with its names."""
        return dict(zip(self.by, key, strict=True))
