"""A report: what a query object gives, and every way of showing it shows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo

from linewatch import csv_cell
from linewatch.errors import ReportError
from linewatch.periods import parse_instant

# Instants have a time zone, the plant's. A bool is no number, a datetime no date.
Cell = csv_cell.Cell | date | datetime
Row = dict[str, Cell]
EMPTY = "nothing was made in this time"


@dataclass(frozen=True, slots=True)
class Report:
    """Rows that have the same columns in the same order, and what a reader must know of them.

    Attributes:
        name: as in `linewatch report NAME`.
        title: for people.
        since: from when on the rows count, by the plant's clock; None: from the beginning.
        until: up to when, exclusive; None: all there is.
        notes: sentences, each about something that the rows alone do not say.
        empty: the sentence that stands for the rows where there are none.
        blank: a row of nothing. Where there are no rows, its names are the columns, and its values
            say what the columns hold.
    """

    name: str
    title: str
    rows: tuple[Mapping[str, Cell], ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    notes: tuple[str, ...] = ()
    empty: str = EMPTY
    blank: Mapping[str, Cell] = field(default_factory=dict)

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(self.rows[0] if self.rows else self.blank)

    def plain_rows(self) -> list[dict[str, csv_cell.Cell]]:
        """The rows as CSV and JSON have them: dates and instants in ISO 8601."""
        return [{name: plain(cell) for name, cell in row.items()} for row in self.rows]


def plain(cell: Cell) -> csv_cell.Cell:
    """A cell that JSON has a word for: '2026-01-31' of a date, an instant with its offset.

    Of instants whole minutes are shown without seconds, as nobody reads these.
    """
    if isinstance(cell, datetime):
        whole = not cell.second and not cell.microsecond
        return cell.isoformat(timespec="minutes" if whole else "seconds")
    return cell.isoformat() if isinstance(cell, date) else cell


def shown_range(since: datetime | None, until: datetime | None) -> str:
    """A range for people: '2026-01-31T05:50+01:00 to 2026-01-31T14:00+01:00'."""
    begins = plain(since) if since else "the beginning"
    return f"{begins} to {plain(until) if until else 'now'}"


def refuse_odd_range(since: datetime | None, until: datetime | None, now: datetime) -> None:
    """Refuse a range in which nothing can have been made.

    Raises:
        ReportError: it ends before it begins, or begins in the future.
    """
    # In UTC: instants of one zone are compared by its clock, which autumn sets back.
    if since and until and since.astimezone(UTC) >= until.astimezone(UTC):
        raise ReportError(f"the range ends before it begins: {shown_range(since, until)}")
    if since is not None and since > now:
        raise ReportError(f"the range is in the future: {shown_range(since, until)}")


def asked_range(
    since: str | None, until: str | None, now: datetime, timezone: tzinfo
) -> tuple[datetime | None, datetime | None]:
    """What people's words for a range mean, in UTC; none, or an empty one, does not narrow.

    Raises:
        ReportError: one is no time, or nothing can have been made between them.
    """
    first = parse_instant(since, now, timezone) if since else None
    last = parse_instant(until, now, timezone) if until else None
    refuse_odd_range(first and first.astimezone(timezone), last and last.astimezone(timezone), now)
    return first, last
