"""The PostgreSQL roles can do their work: each test logs in as a role's user."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text, update

from db import audit, roles
from db.calendars.ahead import ensure_spans
from db.inspections import dead_letters, requeues, suspects
from db.inspections.inspections import commit_inspections, outcomes
from db.inspections.records import StoredFeatures
from db.inspections.rollup import discrepancies
from db.labels import decisions, golden_members, labels
from db.models import drift
from db.parts.recount import recount
from db.parts.recounted import Recounted
from db.products import register
from db.retention import partitions
from db.schema import metadata
from db.session import reading, transaction
from db.tables import Part
from db.views import CURRENT
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.committed import committed
from tests.support.database_users import Users
from tests.support.role_rows import WIDGET, buried, record
from workers.retention.purge import Purge


def test_every_table_is_thought_of() -> None:
    assert set(roles.RIGHTS) - {"alembic_version"} == {
        table.name for table in metadata.sorted_tables
    }


def test_no_role_writes_the_log_itself() -> None:
    assert roles.RIGHTS["audit_log"] == ("S", "S", "S")
    assert roles.RIGHTS["locks"] == ("", "", "")


def test_a_worker_has_no_right_that_locks_a_whole_table() -> None:
    assert not [table for table, rights in roles.RIGHTS.items() if "D" in rights[0]]


def test_worker_and_console_do_their_work(users: Users) -> None:
    worker, console = users.engine("worker"), users.engine("console")
    committed(console, register, WIDGET)
    features = StoredFeatures("f", b"12")
    judged = record(features=features, probabilities={"good": 0.5, "bad": 0.5}, model_version="m")
    assert commit_inspections(worker, [judged, record()], UTC) >= {judged.id}
    dead, letter = buried(worker)
    label = labels.NewLabel(inspection_id=judged.id, label="good", labelled_by="ann")
    decision = decisions.NewDecision("widget", "P-1", "bad", "ann")
    assert committed(console, labels.add_labels, [label], [decision]) == 1
    assert committed(console, golden_members.add, "widget", "g", {judged.id: "good"}, by="ann") == 1
    committed(console, golden_members.freeze, "widget", "g", by="ann")
    assert committed(console, requeues.allow, letter, [dead], by="ann") == [dead]
    again = record(id=dead, features=features, decided_at=datetime.now(UTC) + timedelta(hours=3))
    assert commit_inspections(worker, [again, judged], UTC) == {dead}
    assert commit_inspections(worker, [record(Verdict.PASS, id=dead)], UTC) == frozenset()
    assert outcomes(worker, [dead])[dead].verdict is Verdict.REVIEW
    camera = drift.Camera("widget", "L1", "C1", "m")
    committed(worker, drift.keep, camera, drift.Kept("{}", None), fingerprint="f")
    assert committed(worker, drift.keep_optics, camera, "{}")[:2] == ("{}", "{}")
    assert discrepancies(worker, UTC) == {}
    committed(worker, suspects.begin_trial, [judged.id], alone=True, worker="w")
    committed(worker, suspects.acquit, [judged.id])
    assert suspects.total(worker) == 0
    assert (
        committed(console, dead_letters.purge, before=datetime.now(UTC) + timedelta(1), by="ann")
        == 1
    )
    assert audit.verify(worker).problem is None
    assert audit.verify(worker).entries == 7


def test_maintenance_makes_months_and_purges(users: Users, postgresql_url: str) -> None:
    maintenance = users.engine("maintenance")
    committed(users.owner, register, WIDGET)
    old = datetime.now(UTC) - timedelta(days=100)
    one = record(decided_at=old, features=StoredFeatures("f", b"12"))
    commit_inspections(users.owner, [one], UTC)
    settings = Settings(
        retention_inspections_days=30, retention_features_days=30, retention_rollups_days=30
    )
    assert sum(done.count for done in Purge(maintenance, settings, by="m").run()) == 3
    assert outcomes(maintenance, [one.id]) == {}
    committed(users.owner, partitions.convert, months_ahead=0)  # keeps the rights
    assert len(partitions.make_ahead(maintenance, 2)) == 2
    commit_inspections(users.engine("worker"), [record()], UTC)
    last = partitions.existing(maintenance)[-1]
    assert last in partitions.droppable(maintenance, last.next.begins)
    assert committed(maintenance, partitions.drop, last, datetime.now(UTC)) == 0
    assert last not in partitions.existing(maintenance)
    again = record(decided_at=old)
    commit_inspections(users.owner, [again], UTC)
    assert sum(done.count for done in Purge(maintenance, settings, by="m").run()) == 2
    assert audit.verify(maintenance).problem is None


def test_maintenance_recounts(users: Users) -> None:
    committed(users.owner, register, WIDGET)
    committed(users.owner, ensure_spans, UTC)
    commit_inspections(users.engine("worker"), [record(part="P-1"), record()], UTC)
    with transaction(users.owner) as connection:
        connection.execute(update(Part).values(lot="another"))
    maintenance = users.engine("maintenance")
    assert recount(maintenance, mend=True).parts == 1
    assert recount(maintenance, mend=False) == Recounted()


def test_reports_read_the_views_and_what_reports_count(users: Users) -> None:
    with reading(users.engine("reports")) as connection:
        for name in (*CURRENT, *roles.REPORTED):
            connection.execute(text(f"SELECT * FROM {name}"))


@pytest.mark.parametrize(
    "rows",
    [
        '{"id": ID, "decided_at": AT, "hour": "2020-01-01", "verdict": "pass", "attempt": 1}',
        '{"id": ID, "decided_at": AT, "hour": "2026-03-02", "verdict": "pass", "attempt": 1}',
        '{"id": ID, "decided_at": AT, "verdict": "pass", "attempt": 1}',
        '{"id": ID, "decided_at": AT, "hour": AT, "verdict": "pass", "attempt": 1}, '
        '{"id": ID, "decided_at": AT, "hour": AT, "verdict": "defect", "attempt": 1}',
    ],
    ids=["a past hour", "a later hour", "no hour", "twice"],
)
def test_what_a_worker_calls_counts_what_it_stores(users: Users, rows: str) -> None:
    """A taken-over worker may not use the function that commits to change the past."""
    given = rows.replace("ID", f'"{uuid4()}"').replace("AT", '"2026-03-01T10:00:00Z"')
    with transaction(users.engine("worker")) as connection:
        call = text("SELECT linewatch_commit(CAST(:g AS json), CAST(:g AS json), '', '{id}')")
        connection.execute(call, {"g": f"[{given}]"})
    assert discrepancies(users.owner, UTC) == {}


def test_only_a_dead_letter_that_was_sent_again_is_replaced(users: Users) -> None:
    worker = users.engine("worker")
    dead, _ = buried(worker)
    judged = record()
    commit_inspections(worker, [judged], UTC)
    with transaction(users.owner) as connection:  # even if somebody gave leave for a verdict
        row = f"('{judged.id}', 1, 'x', now())"
        connection.execute(text(f"INSERT INTO requeues VALUES {row}"))
    for id_ in (dead, judged.id):
        row = f'[{{"id": "{id_}", "decided_at": "{datetime.now(UTC)}", "verdict": "pass",'
        row += f' "attempt": 1, "old_hour": "{datetime.now(UTC)}"}}]'
        with transaction(worker) as connection:
            call = f"SELECT linewatch_replace('{row}', '{row}', '', '{{id}}')"
            found = connection.exec_driver_sql(call)
            assert found.all() == []
    assert outcomes(worker, [dead])[dead].verdict is Verdict.DEAD_LETTER
    assert outcomes(worker, [judged.id])[judged.id].verdict is Verdict.REVIEW
