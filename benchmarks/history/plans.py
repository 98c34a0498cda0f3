"""What a function asks of PostgreSQL, how long each statement takes, and by which plan."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, event

# A row a picture or a part: a plan that reads such a table from end to end is no plan for a report.
FACTS = ("inspections", "inspection_scores", "features", "parts", "labels")


@dataclass(slots=True)
class Asked:
    """The statements of one call."""

    statements: list[tuple[str, Any]] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def sql_ms(self) -> float:
        """How long the database was at it."""
        return 1000 * sum(self.seconds)


@contextmanager
def watched(engine: Engine) -> Iterator[Asked]:
    """What is asked inside the block."""
    asked = Asked()
    began: list[float] = []

    def before(*_: object) -> None:
        began.append(time.perf_counter())

    def after(_: object, __: object, statement: str, parameters: Any, *___: object) -> None:
        asked.seconds.append(time.perf_counter() - began.pop())
        asked.statements.append((statement, parameters))

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield asked
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def faults(engine: Engine, call: Callable[[], object]) -> list[str]:
    """Whole tables of facts that a call's plans read, and plans that are compiled."""
    with watched(engine) as asked:
        call()
    found: set[str] = set()
    with engine.connect() as connection:
        for statement, parameters in asked.statements:
            if not statement.lstrip().upper().startswith(("SELECT", "WITH")):
                continue
            explain = f"EXPLAIN (FORMAT JSON) {statement}"
            (plan,) = connection.exec_driver_sql(explain, parameters).scalar_one()
            found.update(_faults(plan))
    return sorted(found)


def _faults(plan: Mapping[str, Any]) -> Iterator[str]:
    if "JIT" in plan:
        yield "JIT"
    for node in _nodes(plan["Plan"]):
        table = str(node.get("Relation Name", ""))
        fact = next((name for name in FACTS if table == name or table.startswith(f"{name}_")), "")
        if fact and node["Node Type"] in ("Seq Scan", "Parallel Seq Scan"):
            yield f"Seq Scan on {fact}"


def _nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        yield from _nodes(below)
