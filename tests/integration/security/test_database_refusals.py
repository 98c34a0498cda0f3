"""The PostgreSQL roles can do nothing but their work."""

from __future__ import annotations

import pytest

from db import roles
from db.views import CURRENT
from tests.support.database_users import Users
from tests.support.role_rows import refused


def test_reports_read_no_payload_no_log_and_no_alert() -> None:
    """A table that is new is closed to reports until somebody thinks of it."""
    assert {"audit_log", "dead_letters", "features", "alerts", "locks"} <= set(UNREPORTED)


EVERY_ROLE = [
    "DROP TABLE inspections",
    "TRUNCATE inspections",
    "ALTER TABLE labels DROP COLUMN note",
    "CREATE TABLE mine (x int)",
    "CREATE TEMPORARY TABLE mine (x int)",
    "CREATE SCHEMA mine",
    "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION linewatch_may_say(who name, action text) RETURNS boolean"
    " LANGUAGE sql AS 'SELECT true'",
    "ALTER FUNCTION linewatch_audit SET search_path = mine",
    "INSERT INTO audit_log (id, at, actor, action, subject, detail, previous_hash, hash)"
    " VALUES (9000000000000000000, now(), 'x', 'model.promote', 'y', '{}', 'z', 'h')",
    "UPDATE audit_log SET actor = 'nobody'",
    "DELETE FROM audit_log",
    "SELECT setval('audit_log_id_seq', 9000000000000000000)",
    "SELECT nextval('audit_log_id_seq')",
    "SELECT * FROM locks FOR UPDATE",
    "INSERT INTO locks VALUES ('mine')",
    "LOCK TABLE locks IN ACCESS SHARE MODE",
    "LOCK TABLE audit_log IN ROW EXCLUSIVE MODE",
    "LOCK TABLE alembic_version IN ROW EXCLUSIVE MODE",
    "LOCK TABLE labels IN SHARE MODE",
    "LOCK TABLE model_versions IN ACCESS EXCLUSIVE MODE",
    "DELETE FROM labels",
    "DELETE FROM decisions",
    "UPDATE decisions SET disposition = 'conforming', defect_class = NULL",
    "UPDATE model_versions SET manifest_sha256 = ''",
    "UPDATE inspections SET verdict = 'pass'",
    "UPDATE inspections SET decided_at = now()",
    "INSERT INTO inspections (id, decided_at, verdict, attempt)"
    " VALUES (gen_random_uuid(), now(), 'pass', 1)",
    "UPDATE inspection_hourly SET count = 0",
    "INSERT INTO inspection_hourly VALUES (now(), '', '', '', '', 'pass', '', '', 1)",
    "UPDATE inspection_scores SET verdict = 'pass'",
    "UPDATE features SET vector = ''",
    "UPDATE dead_letters SET payload = '{}'",
    "DROP VIEW report_pareto",
    "SELECT pg_advisory_lock(300851409)",
    "SELECT pg_advisory_xact_lock(300851409)",
    "SELECT pg_try_advisory_lock_shared(1, 2)",
    "SELECT lo_create(0)",
    "SELECT lo_creat(-1)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT pg_logical_emit_message(false, 'x', 'y')",
    "SELECT linewatch_may_say('x', 'y')",
]


@pytest.mark.parametrize("role", roles.ROLES)
def test_no_role_may(users: Users, role: str) -> None:
    engine = users.engine(role)
    assert [statement for statement in EVERY_ROLE if not refused(engine, statement)] == []


BACKED_UP = [
    "SELECT linewatch_audit('ann', 'backup.make', '/backups', '{}', 0, 'root')",
    "SELECT linewatch_audit('ann', 'backup.restore', '/backups', '{}', 0, 'root')",
]
SET_UP = [
    "SELECT linewatch_audit('ann', 'shifts.import', 'all lines', '{}', 0, 'root')",
    "SELECT linewatch_audit('ann', 'chart.freeze', 'cable', '{}', 0, 'root')",
]
UNREPORTED = sorted(roles.RIGHTS.keys() - set(roles.REPORTED))
FORBIDDEN = {
    "worker": [
        "DELETE FROM inspections",
        "DELETE FROM inspection_hourly",
        "DELETE FROM inspection_scores",
        "DELETE FROM features",
        "DELETE FROM requeues",
        "DELETE FROM suspects",
        "DELETE FROM dead_letters",
        "INSERT INTO requeues VALUES (gen_random_uuid(), 1, 'x', now())",
        "INSERT INTO inspection_scores VALUES (gen_random_uuid(), 'm', '{}', NULL, NULL)",
        "INSERT INTO retention_marks VALUES ('pictures', '', now())",
        "INSERT INTO labels (label) VALUES ('good')",
        "INSERT INTO golden_sets (product) VALUES ('widget')",
        "INSERT INTO deployments (product) VALUES ('widget')",
        "UPDATE products SET spec = '{}'",
        "SELECT * FROM inspections FOR UPDATE",
        "SELECT * FROM inspection_hourly FOR SHARE",
        "LOCK TABLE inspections IN ROW EXCLUSIVE MODE",
        "LOCK TABLE inspection_hourly IN EXCLUSIVE MODE",
        "LOCK TABLE alerts IN SHARE ROW EXCLUSIVE MODE",
        "LOCK TABLE suspects IN ACCESS EXCLUSIVE MODE",
        "LOCK TABLE training_runs IN ACCESS EXCLUSIVE MODE",
        "LOCK TABLE dead_letters IN SHARE MODE",
        "SELECT linewatch_lock('audit')",
        "SELECT linewatch_drop_month('2020-01-01')",
        "SELECT linewatch_audit('ann', 'model.promote', 'widget', '{}', 0, 'root')",
        "SELECT linewatch_audit('ann', 'label.add', 'labels', '{}', 0, 'root')",
        "SELECT linewatch_audit('ann', 'retention.purge', 'widget', '{}', 0, 'root')",
        *BACKED_UP,
        *SET_UP,
    ],
    "maintenance": [
        "INSERT INTO labels (label) VALUES ('good')",
        "INSERT INTO deployments (product) VALUES ('widget')",
        "INSERT INTO requeues VALUES (gen_random_uuid(), 1, 'x', now())",
        "SELECT linewatch_commit('[]', '[]', '', '{}')",
        "SELECT linewatch_replace('[]', '[]', '', '{}')",
        "SELECT linewatch_audit('ann', 'model.promote', 'widget', '{}', 0, 'root')",
        *BACKED_UP,
        *SET_UP,
    ],
    "console": [
        "DELETE FROM inspections",
        "DELETE FROM inspection_hourly",
        "SELECT * FROM inspections FOR UPDATE",
        "SELECT linewatch_commit('[]', '[]', '', '{}')",
        "SELECT linewatch_replace('[]', '[]', '', '{}')",
        "SELECT linewatch_drop_month('2020-01-01')",
        "SELECT linewatch_audit('ann', 'retention.purge', 'widget', '{}', 0, 'root')",
        "LOCK TABLE inspections IN ROW EXCLUSIVE MODE",
        "LOCK TABLE products IN ACCESS EXCLUSIVE MODE",
        "LOCK TABLE requeues IN ACCESS EXCLUSIVE MODE",
        *BACKED_UP,
    ],
    "reports": [
        *(f"SELECT * FROM {table}" for table in UNREPORTED),
        *(f"LOCK TABLE {table} IN ACCESS SHARE MODE" for table in UNREPORTED),
        *(f"LOCK TABLE {table} IN ROW SHARE MODE" for table in roles.REPORTED),
        *(f"DELETE FROM {table}" for table in roles.REPORTED),
        "SELECT * FROM parts FOR SHARE",
        "UPDATE part_counts SET parts = 0",
        *(f"LOCK TABLE {view} IN ROW SHARE MODE" for view in CURRENT),
        "SELECT * FROM report_pareto FOR UPDATE",
        "SELECT linewatch_lock('audit')",
        "SELECT linewatch_audit('ann', 'x', 'y', '{}', 0, 'root')",
        "SELECT linewatch_commit('[]', '[]', '', '{}')",
        "SELECT linewatch_acquit('{}')",
        "SELECT linewatch_add_month('2020-01-01')",
    ],
}


@pytest.mark.parametrize("role", roles.ROLES)
def test_a_role_may_not(users: Users, role: str) -> None:
    engine = users.engine(role)
    assert [statement for statement in FORBIDDEN[role] if not refused(engine, statement)] == []


def test_a_console_promotes_and_a_worker_does_not(users: Users) -> None:
    values = "(product, role, since, by, why) VALUES ('widget', 'champion', now(), 'x', 'y')"
    assert refused(users.engine("worker"), f"INSERT INTO deployments {values}")
    assert not refused(users.engine("console"), f"INSERT INTO deployments {values}")
