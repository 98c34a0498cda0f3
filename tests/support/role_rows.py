"""Rows that a role writes, and whether it may."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db.inspections import dead_letters, suspects
from db.inspections.inspections import InspectionRecord, commit_inspections
from db.outage import sqlstate
from db.session import transaction
from linewatch.products import parse_product
from producer.contract import Reason, Verdict
from tests.support.committed import committed

WIDGET = parse_product(
    {"product": "widget", "classes": [{"code": "good", "good": True}, {"code": "bad"}]}, "tests"
)
INSUFFICIENT_PRIVILEGE = "42501"


def record(verdict: Verdict = Verdict.REVIEW, **fields: object) -> InspectionRecord:
    now = datetime.now(UTC)
    usual = {"id": uuid4(), "product": "widget", "line": "l", "camera": "c", "decided_at": now}
    return InspectionRecord(verdict=verdict, **{**usual, **fields})  # type: ignore[arg-type]


def refused(engine: Engine, statement: str) -> bool:
    try:
        with transaction(engine) as connection:
            connection.exec_driver_sql(statement)
    except DBAPIError as error:
        if sqlstate(error) == INSUFFICIENT_PRIVILEGE:
            return True
        raise
    return False


def buried(worker: Engine) -> tuple[UUID, int]:
    dead = record(Verdict.DEAD_LETTER, reason=Reason.POISON)
    commit_inspections(worker, [dead], UTC)
    committed(worker, suspects.begin_trial, [dead.id], alone=True, worker="w")
    letter = committed(
        worker, dead_letters.add, reason="poison", detail="d", payload="{}", image_id=dead.id
    )
    return dead.id, letter
