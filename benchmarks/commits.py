"""What has been committed to the database of a plant under test."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Engine, func, select

from db.base import table_of
from db.session import reading
from db.tables import Inspection
from linewatch.errors import ServiceError

_ROWS = table_of(Inspection)
# When the last row was decided stands in it; asking more often would cost the contenders time.
_POLL_S = 0.5


@dataclass(frozen=True, slots=True)
class Commits:
    """Rows since some moment: how many, and when the last one was decided."""

    count: int
    last: datetime | None


def commits(engine: Engine, since: datetime) -> Commits:
    """The rows decided since then."""
    decided = _ROWS.c.decided_at
    query = select(func.count(), func.max(decided)).where(decided >= since)
    with reading(engine) as connection:
        return Commits(*connection.execute(query).one())


def await_commits(
    engine: Engine,
    count: int,
    *,
    since: datetime,
    check: Callable[[], None],
    timeout_s: float = 900.0,
) -> Commits:
    """Wait until `count` rows decided since then are committed; `check` raises if all is in vain.

    Raises:
        ServiceError: there are fewer after `timeout_s`.
    """
    deadline = time.monotonic() + timeout_s
    while (found := commits(engine, since)).count < count:
        check()
        if time.monotonic() > deadline:
            raise ServiceError(f"{found.count} of {count} rows after {timeout_s:.0f} s")
        time.sleep(_POLL_S)
    return found


def verdicts(engine: Engine) -> dict[str, int]:
    """How many rows of each verdict, by reason where one is given."""
    columns = (_ROWS.c.verdict, _ROWS.c.reason)
    with reading(engine) as connection:
        rows = connection.execute(select(*columns, func.count()).group_by(*columns)).all()
    return {f"{verdict} ({reason})" if reason else verdict: n for verdict, reason, n in rows}
