"""Months as ranges of UUIDv7: its first 48 bits are milliseconds since 1970. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

_SUFFIX = re.compile(r"_(\d{4})_(\d{2})$")


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A month in UTC."""

    year: int
    month: int

    @classmethod
    def of(cls, instant: datetime) -> Month:
        """The month that an aware instant lies in."""
        local = instant.astimezone(UTC)
        return cls(local.year, local.month)

    @classmethod
    def of_partition(cls, table: str) -> Month | None:
        """The month of a partition by its name, `…_2026_03`; None if it is no month's."""
        found = _SUFFIX.search(table)
        return None if found is None else cls(int(found[1]), int(found[2]))

    @property
    def name(self) -> str:
        """As it ends a partition's name."""
        return f"{self.year:04}_{self.month:02}"

    @property
    def begins(self) -> datetime:
        """Its first instant."""
        return datetime(self.year, self.month, 1, tzinfo=UTC)

    @property
    def next(self) -> Month:
        """The month after it."""
        return Month(self.year + self.month // 12, self.month % 12 + 1)

    @property
    def ids(self) -> tuple[UUID, UUID]:
        """The smallest UUIDv7 of this month and that of the next."""
        return first_id(self.begins), first_id(self.next.begins)


def first_id(instant: datetime) -> UUID:
    """The smallest UUID whose time is `instant` (RFC 9562, section 5.7)."""
    return UUID(int=round(instant.timestamp() * 1000) << 80)


def months(first: Month, last: Month) -> Iterator[Month]:
    """From `first` to `last`, both included."""
    while first <= last:
        yield first
        first = first.next
