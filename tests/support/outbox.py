"""Verdicts for lines that have receivers, and receivers that are real."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Engine

from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.outbox import cursors
from db.outbox.entries import Entry, entries_after
from db.session import reading, transaction
from producer.uuid7 import uuid7
from tests.support.records import a_record


def registered(engine: Engine, line: str, *receivers: str) -> None:
    with transaction(engine) as connection:
        cursors.register(connection, line, receivers or ("gate",))


def now_record(**fields: Any) -> InspectionRecord:
    """A picture that was taken this moment."""
    now = datetime.now(UTC)
    usual = {"id": uuid7(), "captured_at": now - timedelta(milliseconds=20), "decided_at": now}
    return a_record(**{**usual, **fields})


def committed(engine: Engine, *records: InspectionRecord) -> frozenset[UUID]:
    return commit_inspections(engine, records, UTC)


def entries(engine: Engine, line: str, after: int = 0, limit: int = 10_000) -> Sequence[Entry]:
    with reading(engine) as connection:
        return entries_after(connection, line, after, limit)
