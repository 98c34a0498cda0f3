"""Databases that hold a plant's history, made for a benchmark or named by whoever runs it."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
from sqlalchemy import make_url

from benchmarks.history.committing import migrate_with
from benchmarks.history.fill import History, fill
from benchmarks.scale import scaled
from benchmarks.workplace import Workplace, say
from linewatch.errors import ConfigurationError

# Databases that were filled by `python -m benchmarks.history.fill`: of this version, and of 0.1.0.
FILLED, FILLED_BEFORE = "LINEWATCH_BENCH_HISTORY_URL", "LINEWATCH_BENCH_HISTORY_0_1_0_URL"
PICTURES, QUICK_PICTURES = 10_000_000, 1_000_000
DAYS, TEN_WEEKS = 400, 70


def filled(workplace: Workplace, *, quick: bool, days: int = DAYS) -> str:
    """The URL of a database with so many days' history: 10 million pictures a 400 days.

    Raises:
        ConfigurationError: there is no PostgreSQL.
    """
    if days == DAYS and (named := os.environ.get(FILLED)):
        return named
    _require_postgresql(workplace)
    url = workplace.database_url("postgresql")
    _fill(url, quick=quick, days=days)
    return url


def filled_before(workplace: Workplace, code: Path, *, quick: bool) -> str:
    """The same history as 0.1.0 keeps it, whose `code` makes the tables.

    Raises:
        ConfigurationError: there is no PostgreSQL.
    """
    if named := os.environ.get(FILLED_BEFORE):
        return named
    _require_postgresql(workplace)
    url = workplace.bare_database_url("postgresql")
    migrate_with(code, url)
    _fill(url, quick=quick, days=DAYS)
    return url


def _require_postgresql(workplace: Workplace) -> None:
    if "postgresql" not in workplace.databases:
        raise ConfigurationError(f"a history needs PostgreSQL: {workplace.no_postgresql}")


def _fill(url: str, *, quick: bool, days: int) -> None:
    pictures = scaled(QUICK_PICTURES if quick else PICTURES) * days // DAYS
    say(f"{pictures} pictures of {days} days")
    fill(url, History.of(pictures, days))


def plain_url(url: str) -> str:
    """As psycopg takes it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def about(url: str) -> dict[str, object]:
    """What a database holds, and how many bytes a picture it takes, without features."""
    with psycopg.connect(plain_url(url)) as connection:
        (pictures,) = connection.execute("SELECT count(*) FROM inspections").fetchone() or (0,)
        sizes: dict[str, int] = dict(connection.execute(_SIZES).fetchall())
    each = {name: round(size / max(pictures, 1), 1) for name, size in sizes.items()}
    return {"pictures": pictures, "bytes_a_picture": {**each, "all": round(sum(each.values()))}}


_SIZES = """
SELECT CASE WHEN relname LIKE 'part%' THEN 'parts and counts' ELSE relname END,
  sum(pg_total_relation_size(oid))::bigint
FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
  AND relname IN ('inspections', 'inspection_scores', 'inspection_hourly', 'parts', 'part_counts',
    'part_shift_counts')
GROUP BY 1 ORDER BY 2 DESC
"""
