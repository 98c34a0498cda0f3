"""The PostgreSQL roles can do their work and nothing else."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine, text
from sqlalchemy.exc import ProgrammingError

from db import audit, dead_letters, labels, requeues, roles, suspects
from db.inspections import InspectionRecord, commit_inspections
from db.products import register
from db.schema import metadata
from db.session import engine_for, reading, transaction
from db.views import CURRENT
from linewatch.cli import cli
from linewatch.errors import DatabaseError
from linewatch.products import parse_product
from producer.contract import Reason, Verdict

WIDGET = parse_product(
    {"product": "widget", "classes": [{"code": "good", "good": True}, {"code": "bad"}]}, "tests"
)
AsRole = Callable[[str], Engine]


@pytest.fixture
def as_role(postgresql_url: str) -> Iterator[AsRole]:
    """Engines that act as one of the roles, which are this test's own and gone afterwards."""
    prefix = f"lw_{secrets.token_hex(4)}"
    owner = engine_for(postgresql_url)
    roles.apply(owner, prefix)
    roles.apply(owner, prefix)  # after each upgrade: harmless to repeat

    def engine(role: str) -> Engine:
        joint = "&" if "?" in postgresql_url else "?"
        option = quote(f"-c role={prefix}_{role}")
        return engine_for(f"{postgresql_url}{joint}options={option}")

    yield engine
    with transaction(owner) as connection:
        for role in ("worker", "console", "reports"):
            connection.execute(text(f"DROP OWNED BY {prefix}_{role}"))
            connection.execute(text(f"DROP ROLE {prefix}_{role}"))


def record(verdict: Verdict = Verdict.REVIEW, **fields: object) -> InspectionRecord:
    usual = {"id": uuid4(), "product": "widget", "line": "l", "camera": "c"}
    return InspectionRecord(verdict=verdict, decided_at=datetime.now(UTC), **{**usual, **fields})  # type: ignore[arg-type]


def refused(engine: Engine, statement: str) -> bool:
    try:
        with transaction(engine) as connection:
            connection.execute(text(statement))
    except ProgrammingError as error:
        return "permission denied" in str(error) or "must be owner" in str(error)
    return False


def test_every_table_is_thought_of() -> None:
    assert set(roles.RIGHTS) - {"alembic_version"} == {
        table.name for table in metadata.sorted_tables
    }


def test_the_log_is_append_only_for_every_role() -> None:
    assert roles.RIGHTS["audit_log"] == ("SI", "SI")


def test_worker_and_console_do_their_work(as_role: AsRole) -> None:
    worker, console = as_role("worker"), as_role("console")
    register(console, WIDGET)
    judged, dead = record(), record(Verdict.DEAD_LETTER, reason=Reason.POISON)
    assert len(commit_inspections(worker, [judged, dead], UTC)) == 2
    suspects.begin_trial(worker, [dead.id], alone=True, worker="w")
    letter = dead_letters.add(worker, reason="poison", detail="d", payload="{}", image_id=dead.id)
    label = labels.NewLabel(inspection_id=judged.id, label="good", labelled_by="ann")
    assert labels.add_labels(console, [label]) == 1
    assert requeues.allow(console, letter, [dead.id], by="ann") == [dead.id]
    again = record(id=dead.id, verdict=Verdict.REVIEW)
    assert commit_inspections(worker, [again], UTC) == {dead.id}
    assert dead_letters.purge(console, before=datetime.now(UTC) + timedelta(1), by="ann") == 1
    assert audit.verify(worker).problem is None
    assert audit.verify(worker).entries == 4


@pytest.mark.parametrize("role", ["worker", "console", "reports"])
@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE inspections",
        "TRUNCATE inspections",
        "ALTER TABLE labels DROP COLUMN note",
        "CREATE TABLE mine (x int)",
        "UPDATE audit_log SET actor = 'nobody'",
        "DELETE FROM audit_log",
        "DELETE FROM labels",
        "UPDATE model_versions SET manifest_sha256 = ''",
        "DROP VIEW report_pareto",
    ],
)
def test_no_role_may(as_role: AsRole, role: str, statement: str) -> None:
    assert refused(as_role(role), statement)


def test_reports_read_the_views_and_nothing_else(as_role: AsRole) -> None:
    reports = as_role("reports")
    with reading(reports) as connection:
        for view in CURRENT:
            connection.execute(text(f"SELECT * FROM {view}"))
    for table in roles.RIGHTS:
        assert refused(reports, f"SELECT * FROM {table}"), table


def test_a_console_promotes_and_a_worker_does_not(as_role: AsRole) -> None:
    values = "(product, role, since, by, why) VALUES ('widget', 'champion', now(), 'x', 'y')"
    assert refused(as_role("worker"), f"INSERT INTO deployments {values}")
    assert not refused(as_role("console"), f"INSERT INTO deployments {values}")


def test_sqlite_has_no_roles(sqlite_url: str) -> None:
    with pytest.raises(DatabaseError, match="SQLite has no roles"):
        roles.apply(engine_for(sqlite_url))


def test_the_command_prints_what_it_would_run() -> None:
    printed = CliRunner().invoke(cli, ["db", "roles"]).output
    assert "GRANT SELECT, INSERT ON audit_log TO linewatch_worker;" in printed
    assert printed.count(";") >= len(roles.RIGHTS)
