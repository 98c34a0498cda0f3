"""What reports about parts can be narrowed to and grouped by. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from db.storable_text import storable
from linewatch.errors import ReportError

NAMES = ("line", "product", "lot", "work_order", "shift", "model_version")
TIMES = ("quarter", "hour", "day", "week", "month")
GROUPS = (*NAMES, *TIMES)
FINE = frozenset({"quarter", "hour"})  # which whole shifts cannot say
_CAMERA = (
    "a part has pictures of several cameras, so parts have no camera: "
    "`linewatch report pictures` counts pictures by camera"
)


@dataclass(frozen=True, slots=True)
class PartFilters:
    """What a report covers; None does not narrow, and '' means parts that have none.

    Attributes:
        since: parts made from then on, with a time zone.
        until: parts made before then.
        shift: by its name, on whatever day.
    """

    since: datetime | None = None
    until: datetime | None = None
    line: str | None = None
    product: str | None = None
    lot: str | None = None
    work_order: str | None = None
    shift: str | None = None

    def names(self) -> dict[str, str]:
        """The columns that are narrowed, each with the one value that is left, as it is stored."""
        columns = ("line", "product", "lot", "work_order", "shift")
        values = {name: getattr(self, name) for name in columns}
        return {name: storable(value) for name, value in values.items() if value is not None}


def checked_groups(by: Sequence[str], choices: Sequence[str] = GROUPS) -> tuple[str, ...]:
    """The groups, each once, in order.

    Raises:
        ReportError: `by` names what parts are not grouped by.
    """
    for name in by:
        if name == "camera":
            raise ReportError(_CAMERA)
        if name not in choices:
            raise ReportError(f"cannot group by {name!r}; choose from {', '.join(choices)}")
    return tuple(dict.fromkeys(by))
