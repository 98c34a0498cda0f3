"""A line's worst latency, and what it costs to know it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine

from db.inspections.inspections import commit_inspections
from db.reports.flow import flow
from db.reports.picture_range import PictureRange
from db.reports.rejected import rejected
from db.reports.takt import worst_latency_s
from tests.support.plans import plans_of
from tests.support.records import a_record

NOW = datetime.now(UTC)
INDEX = "ix_inspections_line_camera_decided_at"


def late(seconds: float, **fields: object) -> object:
    decided = fields.pop("decided_at", None) or datetime.now(UTC)  # not when tests were collected
    return a_record(decided_at=decided, captured_at=decided - timedelta(seconds=seconds), **fields)  # type: ignore[operator]


def test_the_worst_of_all_cameras_of_the_line_lately(engine: Engine) -> None:
    records = [
        late(2.0, camera="C1"),
        late(5.0, camera="C2"),
        late(9.0, line="L2"),
        late(99.0, decided_at=NOW - timedelta(hours=1)),
    ]
    commit_inspections(engine, records, UTC)  # type: ignore[arg-type]
    assert worst_latency_s(engine, "L1", within_s=600) == 5.0
    assert worst_latency_s(engine, "L2", within_s=600) == 9.0
    assert worst_latency_s(engine, "L9", within_s=600) is None


def searched(engine: Engine, plan: str, columns: tuple[str, ...]) -> bool:
    """Whether an index is entered by all these columns, and not read from end to end."""
    if engine.dialect.name == "sqlite":
        lines = [line for line in plan.splitlines() if INDEX in line]
        entered = [line.partition("(")[2] for line in lines if line.startswith("SEARCH")]
        return bool(entered) and all(column in one for one in entered for column in columns)
    (line,) = [line for line in plan.splitlines() if "Index Cond" in line][:1] or [""]
    return all(column in line for column in columns)


def test_neither_takt_nor_flow_reads_all_that_a_line_ever_made(engine: Engine) -> None:
    commit_inspections(engine, [late(1.0, camera=f"C{n}") for n in range(4)], UTC)  # type: ignore[arg-type]
    day = PictureRange(NOW - timedelta(days=1))
    for call in (
        lambda: worst_latency_s(engine, "L1", within_s=600),
        lambda: flow(engine, day, UTC),
    ):
        plans = [plan for plan in plans_of(engine, call) if "inspections" in plan]
        assert plans
        for plan in plans:
            assert searched(engine, plan, ("line", "camera", "decided_at")), plan


def test_rejects_are_found_by_an_index(engine: Engine) -> None:
    commit_inspections(engine, [late(1.0)], UTC)  # type: ignore[list-item]
    pictures = PictureRange(NOW - timedelta(days=1), NOW)
    (plan, *_) = plans_of(engine, lambda: rejected(engine, pictures, UTC))
    sqlite = engine.dialect.name == "sqlite"  # there the verdict's index does, and it prefers it
    index = "ix_inspections_verdict_decided_at" if sqlite else "ix_inspections_unjudged"
    assert index in plan, plan
