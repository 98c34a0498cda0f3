"""What the database says of planted parts, in plain SQL, and rows as both databases have them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Engine, text

from db.session import reading


def keyed(rows: Sequence[Any], by: Sequence[str]) -> dict[tuple[Any, ...], dict[str, Any]]:
    """A report's rows by the values of its groups."""
    found = {
        tuple(in_utc(row[name]) for name in by): {n: v for n, v in row.items() if n not in by}
        for row in rows
    }
    assert len(found) == len(rows)
    return found


def rounded(rows: Any) -> Any:
    """The same with numbers of nine digits, which is what two ways of computing agree to."""
    if isinstance(rows, dict):
        return {key: rounded(value) for key, value in rows.items()}
    if isinstance(rows, list | tuple):
        return [rounded(value) for value in rows]
    return round(rows, 9) if isinstance(rows, float) else rows


def fetched(engine: Engine, sql: str) -> list[Any]:
    """What a statement gives, as the driver has it."""
    with reading(engine) as connection:
        return list(connection.execute(text(sql)).mappings())


def uuid(value: UUID | str) -> UUID:
    """SQLite has 32 digits in text."""
    return value if isinstance(value, UUID) else UUID(value)


def instant(value: datetime | str) -> datetime:
    """SQLite has UTC in text."""
    if isinstance(value, str):
        return datetime.fromisoformat(value).replace(tzinfo=UTC)
    return value.astimezone(UTC)


def day(value: date | str) -> date:
    """SQLite has it in text."""
    return date.fromisoformat(value) if isinstance(value, str) else value


def in_utc(value: Any) -> Any:
    """To Python the hour that comes twice is one hour, in its own time zone."""
    return value.astimezone(UTC) if isinstance(value, datetime) else value
