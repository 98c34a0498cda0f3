"""Who may what about the audit sample, on PostgreSQL with users of every role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from db.audit_sample import answers, items
from db.audit_sample.answers import NewAnswer
from db.inspections.inspections import commit_inspections
from db.outage import sqlstate
from db.products import register
from db.session import transaction
from linewatch.cli import cli
from linewatch.products import parse_product
from linewatch.settings import Settings
from tests.support.committed import committed
from tests.support.database_users import Users, database_users
from tests.support.records import a_record

CABLE = {"product": "cable", "classes": [{"code": "good", "good": True}, {"code": "bent_wire"}]}


@pytest.fixture
def users(postgresql_url: str) -> Iterator[Users]:
    with database_users(postgresql_url) as made:
        yield made


def refused(engine: Engine, statement: str) -> bool:
    try:
        with transaction(engine) as connection:
            connection.exec_driver_sql(statement)
    except DBAPIError as error:
        return sqlstate(error) == "42501"
    return False


def test_each_role_does_its_part(users: Users, make_settings: Callable[..., Settings]) -> None:
    worker, console = users.engine("worker"), users.engine("console")
    committed(console, register, parse_product({**CABLE, "audit_share": 1.0}, "a test"))
    with transaction(users.owner) as connection:  # a share counts from the next quarter hour on
        connection.exec_driver_sql("UPDATE audit_shares SET since = since - interval '1 day'")
    commit_inspections(worker, [a_record(), a_record(part=None)], UTC)
    waiting = items.unanswered(console)
    assert len(waiting) == 2
    assert [one.pictures for one in waiting] == [("/images/1.png",)] * 2
    said = [NewAnswer(one, "bent_wire", "ann") for one in waiting]
    assert committed(console, answers.add, said) == []
    assert items.unanswered(console) == []
    make_settings(database_url=users.url("reports"), plant_timezone="UTC")
    found = CliRunner().invoke(cli, ["report", "audit", "--format", "json"])
    assert found.exit_code == 0, found.exception


READ = "SELECT seed FROM audit_seeds"
DRAW = (
    "INSERT INTO audit_sample SELECT 'p', 's', '', 1, gen_random_uuid(), 1, now(), 'conforming',"
    " '', '', '', now(), now()"
)
ANSWER = (
    "INSERT INTO audit_answers (product, serial, scope, pass_number, disposition, answered_by,"
    " answered_at, recorded_at, note) SELECT 'p', 's', '', 1, 'conforming', 'a', now(), now(), ''"
)


@pytest.mark.parametrize("role", ["worker", "maintenance", "console", "reports"])
def test_nobody_reads_the_secret_or_chooses_what_is_drawn(users: Users, role: str) -> None:
    """An answer is never changed or taken back either."""
    engine = users.engine(role)
    for statement in (
        *(READ, "UPDATE audit_seeds SET seed = ''", "DELETE FROM audit_seeds"),
        *(DRAW, "DELETE FROM audit_sample", "UPDATE audit_sample SET share = 1"),
        *("UPDATE audit_answers SET note = ''", "DELETE FROM audit_answers"),
        *("UPDATE audit_shares SET share = 0", "DELETE FROM audit_shares"),
        "SELECT linewatch_draw('[]'::json)",
        "SELECT linewatch_draw_parts('{}', '{}', '{}')",
    ):
        assert refused(engine, statement), statement
    assert refused(engine, ANSWER) == (role != "console")
    assert refused(engine, "SELECT linewatch_seed('cable')") == (role != "console")
    assert refused(engine, "SELECT id FROM audit_sample") == (role == "worker")
