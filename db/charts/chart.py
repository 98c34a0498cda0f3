"""Which parts a control chart is of, and how they are divided into subgroups. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from linewatch.errors import ChartError

BY = ("shift", "hour", "lot", "n")
_MOST = 1_000_000  # parts of a subgroup


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart.

    Attributes:
        line: '' for all lines together.
        class_code: parts with this defect class are what it counts as nonconforming; '': any.
        by: what a subgroup is.
        n: parts of a subgroup, where it is by n; else 0.

    Raises:
        ChartError: there are no such subgroups.
    """

    product: str
    line: str = ""
    class_code: str = ""
    by: str = "shift"
    n: int = 0

    def __post_init__(self) -> None:
        if self.by not in BY:
            raise ChartError(f"no subgroups are by {self.by!r}; choose from {', '.join(BY)}")
        if (self.by == "n") != (self.n != 0) or not 0 <= self.n <= _MOST:
            raise ChartError(
                f"say --by n with --n, the parts of a subgroup, from 1 to {_MOST:,}; and --n with "
                "nothing else"
            )

    def __str__(self) -> str:
        which = f" of class {self.class_code}" if self.class_code else ""
        where = f"line {self.line}" if self.line else "all lines"
        by = f"{self.n} parts" if self.by == "n" else self.by
        return f"{self.product}{which}, {where}, by {by}"
