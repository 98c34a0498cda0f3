"""Fill a database with a plant's history: `python -m benchmarks.history.fill URL PICTURES`.

Straight in SQL, since the commit path would need an hour for each million. The facts suit 0.1.0's
schema too, so that both can be measured on the same rows: what is between two `/* parts */` in a
statement is left out there. Parts are filled where they are kept, and the champion's probabilities
where these are.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import psycopg
from sqlalchemy import make_url

_HERE = Path(__file__).parent
_CHUNK = 250_000  # parts a statement
_VIEWS = 2.48  # pictures a part, re-inspections included
_PARTS_ONLY = re.compile(r"/\* parts \*/(.*?)/\* parts \*/", re.DOTALL)
_SESSION = (
    "SET work_mem = '1GB'",
    "SET maintenance_work_mem = '1GB'",
    "SET synchronous_commit = off",
    "SET jit = off",
    "SET session_replication_role = replica",  # foreign keys hold by the way it is made
    "SET TIME ZONE 'UTC'",
)


@dataclass(frozen=True, slots=True)
class History:
    """How much history there is.

    Attributes:
        until: when its last part was made; what comes again or late is up to 4 days later.
    """

    pictures: int
    days: int
    until: datetime

    @classmethod
    def of(cls, pictures: int, days: int = 400) -> History:
        """That many pictures up to some days ago."""
        return cls(pictures, days, datetime.now(UTC).replace(microsecond=0) - timedelta(days=5))

    @property
    def parts(self) -> int:
        """How many parts there are, those without a serial number included."""
        return round(self.pictures / _VIEWS)

    @property
    def words(self) -> dict[str, Any]:
        """What the statements are told."""
        start = self.until - timedelta(days=self.days)
        apart = timedelta(days=self.days) / self.parts
        return {"days": self.days, "start": start, "apart": apart}


def fill(url: str, history: History) -> None:
    """Fill an empty, migrated database; its tables' indexes are made anew at the end."""
    with _connected(url) as connection:
        counts_parts = connection.execute("SELECT to_regclass('parts')").fetchone() != (None,)
        with _without_indexes(connection):
            _run(connection, "plant", history.words)
            for first in range(1, history.parts + 1, _CHUNK):
                last = min(first + _CHUNK - 1, history.parts)
                told = {**history.words, "first": first, "last": last}
                _run(connection, "facts", told, parts=counts_parts)
            for name in ("people", "hours", "parts" if counts_parts else "scores"):
                _run(connection, name, history.words, parts=counts_parts)
        connection.execute("DROP FUNCTION u(bigint, bigint)")
        connection.execute("VACUUM (ANALYZE)")


@contextmanager
def _connected(url: str) -> Iterator[psycopg.Connection[Any]]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        for statement in _SESSION:
            connection.execute(statement)
        yield connection


def _run(
    connection: psycopg.Connection[Any], name: str, words: dict[str, Any], *, parts: bool = True
) -> None:
    began = time.monotonic()
    text = (_HERE / f"{name}.sql").read_text(encoding="utf-8")
    connection.execute(_PARTS_ONLY.sub(r"\1" if parts else "", text).encode(), words)
    click.echo(f"  {name}: {time.monotonic() - began:.1f} s", err=True)


@contextmanager
def _without_indexes(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """Inside, tables have no index but those of constraints that others refer to."""
    query = (
        "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index"
        " WHERE indrelid::regclass::text = ANY (%s) AND NOT indisprimary"
    )
    large = ["inspections", "parts", "part_counts", "part_shift_counts", "labels", "decisions"]
    indexes = connection.execute(query, [large]).fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}".encode())
    yield
    for name, definition in indexes:
        began = time.monotonic()
        connection.execute(definition.encode())
        click.echo(f"  {name}: {time.monotonic() - began:.1f} s", err=True)


@click.command()
@click.argument("url")
@click.argument("pictures", type=click.IntRange(1000))
def main(url: str, pictures: int) -> None:
    """Fill the database at URL with so many PICTURES."""
    fill(url, History.of(pictures))


if __name__ == "__main__":
    main()
