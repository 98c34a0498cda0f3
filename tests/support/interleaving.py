"""Somebody else acts between two statements of a transaction, where the test says so."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextlib import contextmanager
from threading import get_ident
from typing import Any

from sqlalchemy import Engine, event, text

_LONGEST_S = 30
_SQLITE_WAIT_S = 0.5  # nobody can ask SQLite who waits


@contextmanager
def meanwhile(
    engine: Engine, at: str, act: Callable[[], Any], *, waits: bool = False
) -> Iterator[None]:
    """Let `act` run in another thread just before this thread's first statement with `at` in it.

    The statement is sent once `act` has ended or, with `waits`, once it waits for a lock. Leaving
    the context waits for its end and raises what it raised.
    """
    me, acting = get_ident(), list[Future[Any]]()

    def before(_c: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if get_ident() != me or acting or at not in " ".join(statement.split()):
            return
        acting.append(pool.submit(act))
        if not waits:
            acting[0].result(_LONGEST_S)
        elif engine.dialect.name == "sqlite":
            wait_for(acting, _SQLITE_WAIT_S)
        else:
            _until_blocked(engine, acting[0])

    with ThreadPoolExecutor(1) as pool:
        event.listen(engine, "before_cursor_execute", before)
        try:
            yield
        finally:
            event.remove(engine, "before_cursor_execute", before)
            assert acting, f"no statement with {at!r} was executed"
            acting[0].result(_LONGEST_S)


def _until_blocked(engine: Engine, acting: Future[Any]) -> None:
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    deadline = time.monotonic() + _LONGEST_S
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while not acting.done() and not connection.scalar(waiting):
            assert time.monotonic() < deadline, "it neither ended nor waited"
            time.sleep(0.02)
