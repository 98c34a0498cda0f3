"""A schema built by migrations equals the one the models describe, and can be taken down again."""

from __future__ import annotations

import time
from threading import Barrier, Thread
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import Engine, Inspector, inspect, text

from db import migrate, session
from db.schema import compared, metadata
from db.session import engine_for, reading, transaction
from db.views import CURRENT
from linewatch.errors import DatabaseError
from tests.support.database_users import database_users


def described(engine: Engine) -> dict[str, Any]:
    """Everything the database says of its schema, but for Alembic's own table."""
    inspector: Inspector = inspect(engine)
    tables = [name for name in inspector.get_table_names() if name != "alembic_version"]
    found: dict[str, Any] = {
        name: {
            "columns": [
                (c["name"], str(c["type"]), c["nullable"], c["default"])
                for c in inspector.get_columns(name)
            ],
            "primary key": inspector.get_pk_constraint(name),
            "foreign keys": sorted(map(repr, inspector.get_foreign_keys(name))),
            "checks": sorted(map(repr, inspector.get_check_constraints(name))),
            "unique": sorted(map(repr, inspector.get_unique_constraints(name))),
        }
        for name in tables
    }
    for view in inspector.get_view_names():
        columns = [(c["name"], str(c["type"])) for c in inspector.get_columns(view)]
        found[view] = (columns, inspector.get_view_definition(view))
    found["indexes"] = sorted(index_statements(engine))
    return found


def index_statements(engine: Engine) -> list[str]:
    if engine.dialect.name == "postgresql":
        query = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'"
    else:
        query = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL"
    with reading(engine) as connection:
        found = connection.execute(text(query)).scalars().all()
    return [statement for statement in found if "alembic_version" not in statement]


def test_migrations_build_what_the_models_describe(database_url: str) -> None:
    engine = engine_for(database_url)
    migrated = described(engine)
    with reading(engine) as connection:
        options = {"compare_type": True, "include_object": compared}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []
    migrate.downgrade(database_url, "base")
    metadata.create_all(engine)
    assert described(engine) == migrated


def test_the_views_have_the_columns_that_dashboards_name(engine: Engine) -> None:
    inspector = inspect(engine)
    assert set(inspector.get_view_names()) == set(CURRENT)
    columns = {view: [column["name"] for column in inspector.get_columns(view)] for view in CURRENT}
    station = ["hour", "product", "line", "camera", "lot"]
    counts = ["inspected", "passed", "defects", "review", "rejected", "dead_letter", "defect_rate"]
    shift = ["shift_starts_at", "shift_ends_at", "shift", "plant_day"]
    kinds = [
        *("line", "product", "lot", "work_order", "model_version", "disposition", "classes"),
        *("decided_by", "why", "model_disposition", "reinspection", "serialised", "by_receipt"),
    ]
    assert columns == {
        "report_defect_rate_hourly": [*station, *counts],
        "report_pareto": [*station, "defect_class", "defects"],
        "report_class_metrics": [
            *("product", "model_version", "training_run_id", "finished_at", "class"),
            *("precision", "recall", "f1", "support", "scored", "champion"),
        ],
        "report_parts": [
            *("product", "serial", "scope", "pass_number", "reinspection", "line", "lot"),
            *("work_order", "model_version", "disposition", "classes", "decided_by", "why"),
            *("model_disposition", "model_classes", "views", "made_at", "last_at", "by_receipt"),
            *("quarter_at", *shift),
        ],
        "report_part_counts": ["slice_at", "quarter_at", *kinds, *shift, "parts"],
        "report_part_shifts": [*kinds, *shift, "parts"],
        "report_part_rates": [
            *("line", "product", *shift, "parts", "conforming", "nonconforming", "open"),
            *("by_model", "by_person", "reinspections", "unserialised", "by_receipt"),
            *("rate", "rate_low", "rate_high", "band_low", "band_high", "first_pass_yield"),
        ],
    }


def test_upgrade_downgrade_upgrade(empty_database_url: str) -> None:
    engine = engine_for(empty_database_url)
    assert migrate.current(empty_database_url) is None
    migrate.upgrade(empty_database_url)
    first = described(engine)
    assert migrate.current(empty_database_url) == migrate.newest()
    migrate.downgrade(empty_database_url, "base")
    assert migrate.current(empty_database_url) is None
    assert described(engine) == {"indexes": []}
    migrate.upgrade(empty_database_url)
    assert described(engine) == first


def test_create_all_and_drop_all_know_the_views(empty_database_url: str) -> None:
    engine = engine_for(empty_database_url)
    metadata.create_all(engine)
    metadata.drop_all(engine)
    assert described(engine) == {"indexes": []}


def test_upgrades_that_start_at_once_are_harmless(empty_database_url: str) -> None:
    errors: list[BaseException] = []
    start = Barrier(4)

    def upgrade() -> None:
        start.wait()
        try:
            migrate.upgrade(empty_database_url)
        except BaseException as error:
            errors.append(error)

    threads = [Thread(target=upgrade) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert migrate.check(empty_database_url) is None


def test_a_failed_upgrade_leaves_nothing(empty_database_url: str) -> None:
    engine = engine_for(empty_database_url)
    with transaction(engine) as connection:
        connection.execute(text("CREATE TABLE training_runs (mine INTEGER)"))
    with pytest.raises(DatabaseError, match="already exists"):
        migrate.upgrade(empty_database_url)
    assert inspect(engine).get_table_names() == ["training_runs"]


def test_check_says_what_to_do(empty_database_url: str) -> None:
    assert "run `linewatch db upgrade`" in (migrate.check(empty_database_url) or "")
    with pytest.raises(DatabaseError, match="no Linewatch tables yet"):
        migrate.require(empty_database_url)
    migrate.upgrade(empty_database_url)
    assert migrate.check(empty_database_url) is None
    with transaction(engine_for(empty_database_url)) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    assert "does not know" in (migrate.check(empty_database_url) or "")


def test_an_upgrade_may_pause_on_a_busy_machine(
    empty_postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker's session that is idle in a transaction for so long is ended."""
    monkeypatch.setattr(session, "_IDLE_IN_TRANSACTION_MS", 300)
    steps = command.upgrade

    def paused(config: Config, revision: str) -> None:
        time.sleep(1)
        steps(config, revision)

    monkeypatch.setattr(command, "upgrade", paused)
    migrate.upgrade(empty_postgresql_url)
    assert migrate.check(empty_postgresql_url) is None


def test_a_user_that_may_not_migrate_is_told_so(postgresql_url: str) -> None:
    """The upgrade of a plant whose `LINEWATCH_DATABASE_URL` is a worker's."""
    with database_users(postgresql_url) as users, pytest.raises(DatabaseError) as caught:
        migrate.upgrade(users.url("worker"))
    said = str(caught.value)
    assert said.startswith(f"the database refuses this to its user {users.name('worker')}: ")
    assert said.endswith("use the login of a role that may, see docs/security.md")


def test_an_unreachable_server_is_one_sentence_without_the_password() -> None:
    url = "postgresql://someone:hunter2@127.0.0.1:9/none"
    with pytest.raises(DatabaseError) as caught:
        migrate.upgrade(url)
    assert "hunter2" not in str(caught.value)
    assert "is it running" in str(caught.value)
    assert "\n" not in str(caught.value)
