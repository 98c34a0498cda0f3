"""The PostgreSQL roles can do their work and nothing else: each test logs in as a role's user."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, make_url, text, update
from sqlalchemy.exc import DBAPIError

from db import audit, migrate, roles
from db import logins as database_logins
from db.calendars.ahead import ensure_spans
from db.inspections import dead_letters, requeues, suspects
from db.inspections.inspections import InspectionRecord, commit_inspections, outcomes
from db.inspections.records import StoredFeatures
from db.inspections.rollup import discrepancies
from db.labels import decisions, golden_members, labels
from db.models import drift
from db.outage import sqlstate
from db.parts.recount import recount
from db.parts.recounted import Recounted
from db.products import register
from db.retention import partitions
from db.schema import metadata
from db.session import dispose, engine_for, reading, transaction
from db.tables import Part
from db.views import CURRENT
from linewatch.cli import cli
from linewatch.errors import DatabaseError
from linewatch.products import parse_product
from linewatch.settings import Settings
from producer.contract import Reason, Verdict
from tests.support.committed import committed
from tests.support.database_users import Users, database_users
from workers.retention.purge import Purge

WIDGET = parse_product(
    {"product": "widget", "classes": [{"code": "good", "good": True}, {"code": "bad"}]}, "tests"
)
INSUFFICIENT_PRIVILEGE = "42501"


@pytest.fixture
def users(postgresql_url: str) -> Iterator[Users]:
    with database_users(postgresql_url) as made:
        yield made


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


def test_every_table_is_thought_of() -> None:
    assert set(roles.RIGHTS) - {"alembic_version"} == {
        table.name for table in metadata.sorted_tables
    }


def test_reports_read_no_payload_no_log_and_no_alert() -> None:
    """A table that is new is closed to reports until somebody thinks of it."""
    assert {"audit_log", "dead_letters", "features", "alerts", "locks"} <= set(UNREPORTED)


def test_no_role_writes_the_log_itself() -> None:
    assert roles.RIGHTS["audit_log"] == ("S", "S", "S")
    assert roles.RIGHTS["locks"] == ("", "", "")


def test_a_worker_has_no_right_that_locks_a_whole_table() -> None:
    assert not [table for table, rights in roles.RIGHTS.items() if "D" in rights[0]]


def buried(worker: Engine) -> tuple[UUID, int]:
    dead = record(Verdict.DEAD_LETTER, reason=Reason.POISON)
    commit_inspections(worker, [dead], UTC)
    committed(worker, suspects.begin_trial, [dead.id], alone=True, worker="w")
    letter = committed(
        worker, dead_letters.add, reason="poison", detail="d", payload="{}", image_id=dead.id
    )
    return dead.id, letter


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
    assert committed(worker, drift.keep_optics, camera, "{}") == ("{}", "{}")
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


def test_reports_read_the_views_and_what_reports_count(users: Users) -> None:
    with reading(users.engine("reports")) as connection:
        for name in (*CURRENT, *roles.REPORTED):
            connection.execute(text(f"SELECT * FROM {name}"))


def test_a_console_promotes_and_a_worker_does_not(users: Users) -> None:
    values = "(product, role, since, by, why) VALUES ('widget', 'champion', now(), 'x', 'y')"
    assert refused(users.engine("worker"), f"INSERT INTO deployments {values}")
    assert not refused(users.engine("console"), f"INSERT INTO deployments {values}")


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


def test_users_have_the_timeouts_of_their_role(users: Users) -> None:
    names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
    for role in roles.ROLES:
        with reading(users.engine(role)) as connection:
            found = [connection.execute(text(f"SHOW {name}")).scalar_one() for name in names]
        assert "0" not in found, role
    with reading(users.owner) as connection:
        limit = "SELECT rolconnlimit FROM pg_roles WHERE rolname = :name"
        name = {"name": users.name("reports")}
        assert connection.execute(text(limit), name).scalar_one() == 20
        assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "0"


def test_rights_that_an_earlier_version_gave_are_taken(users: Users) -> None:
    with transaction(users.owner) as connection:
        connection.execute(
            text(f"GRANT ALL ON inspections, audit_log, locks TO {users.prefix}_worker")
        )
    assert not refused(users.engine("worker"), "UPDATE inspections SET verdict = 'pass'")
    roles.apply(users.owner, users.prefix)
    assert refused(users.engine("worker"), "UPDATE inspections SET verdict = 'pass'")
    assert refused(users.engine("worker"), "DELETE FROM audit_log")


def test_sqlite_has_no_roles(sqlite_url: str) -> None:
    with pytest.raises(DatabaseError, match="SQLite has no roles"):
        roles.apply(engine_for(sqlite_url))


def test_the_command_prints_what_it_would_run() -> None:
    printed = CliRunner().invoke(cli, ["db", "roles"]).output
    assert "GRANT SELECT ON audit_log TO linewatch_worker;" in printed
    assert "GRANT EXECUTE ON FUNCTION linewatch_audit TO linewatch_worker, " in printed
    assert printed.count(";") >= len(roles.RIGHTS)


def test_an_owner_who_is_no_superuser_makes_the_roles(
    users: Users, empty_postgresql_url: str
) -> None:
    """As on a server of somebody else's: it gives what it may give, and says what it may not."""
    owner, prefix = f"{users.prefix}_owner", f"{users.prefix}_o"
    superuser = engine_for(empty_postgresql_url)
    mine = make_url(empty_postgresql_url).set(username=owner, password="x")
    url = mine.render_as_string(hide_password=False)
    with transaction(superuser) as connection:
        connection.execute(text(f"CREATE USER {owner} PASSWORD 'x' CREATEROLE"))
        connection.execute(text(f"GRANT ALL ON SCHEMA public TO {owner}"))
    try:
        migrate.upgrade(url)
        logins = {role: mine.set(username=f"{prefix}_{role}_user") for role in roles.ROLES}
        urls = {role: one.render_as_string(hide_password=False) for role, one in logins.items()}
        assert len(database_logins.apply(engine_for(url), urls, prefix)) == 4
        assert database_logins.apply(engine_for(url), urls, prefix) == []
        left_undone = roles.apply(engine_for(url), prefix)
        assert "let a superuser run this" in " ".join(left_undone)
        worker, reports = engine_for(urls["worker"]), engine_for(urls["reports"])
        assert len(commit_inspections(worker, [record()], UTC)) == 1
        assert refused(worker, "UPDATE inspections SET verdict = 'pass'")
        with reading(reports) as connection:
            assert connection.execute(text("SHOW statement_timeout")).scalar_one() == "5min"
            connection.execute(text("SELECT pg_advisory_lock(300851409)"))  # nobody waits for it
            committed(engine_for(url), audit.append, "ann", "backup.make", "/backups")
    finally:
        dispose()
        with transaction(superuser) as connection:
            for role in roles.ROLES:
                for name in (f"{prefix}_{role}_user", f"{prefix}_{role}"):
                    connection.execute(text(f"DROP OWNED BY {name}"))
                    connection.execute(text(f"DROP ROLE {name}"))
            connection.execute(text(f"DROP OWNED BY {owner} CASCADE"))
            connection.execute(text(f"DROP ROLE {owner}"))


def test_a_migration_does_not_wait_for_a_reader_without_end(
    users: Users, postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A report that stays open for hours: while a migration waits for it, workers queue behind."""
    monkeypatch.setattr(migrate, "_PATIENCE", "SET LOCAL lock_timeout = '100ms'")
    with reading(users.engine("worker")) as connection:
        connection.execute(text("SELECT 1 FROM audit_log"))
        with pytest.raises(DatabaseError, match="lock timeout"):
            migrate.downgrade(postgresql_url, "0001")
    assert migrate.check(postgresql_url) is None
