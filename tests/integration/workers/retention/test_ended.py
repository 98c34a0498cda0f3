"""Sessions, links and notices that are over are purged; those that stand are not."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import Connection, Engine, func, select, update

from db import alerts, audit
from db.alerting import notices
from db.alerting.notices import Key
from db.base import table_of
from db.clock import database_now
from db.people import links, sessions, users
from db.session import engine_for, reading, transaction
from db.tables import Alert, AlertNotice, ConsoleLink, ConsoleSession
from linewatch.cli import cli
from linewatch.settings import Settings
from tests.support.database_users import database_users
from workers.maintenance import maintenance
from workers.retention.ended import run_ended

LONG, SOON = timedelta(days=400), timedelta(hours=1)
TABLES = (ConsoleSession, ConsoleLink, AlertNotice)


def fill(engine: Engine, each: int = 7) -> None:
    """Of each kind so many that are long over, and some that are not."""
    with transaction(engine) as connection:
        users.add(connection, "ida", "viewer", password_hash=None, by="test")
        for number in range(each + 2):
            sessions.begin(connection, "ida", lasts=SOON, agent="test")
            links.make(connection, "ida", by="test", lasts=SOON)
            alerts.raise_alert(
                connection, kind="k", severity="warning", message="m", source=f"s{number}"
            )
        told = [Key(notices.subject_of(n + 1), "mail", "raised") for n in range(each + 2)]
        told.append(Key("summary:a", "mail", "summary"))
        notices.claim(connection, told, by="test", again_after=SOON)
        now = database_now(connection)
        aged(connection, ConsoleSession, "token_sha256", each - 1, {"expires_at": now - LONG})
        aged(connection, ConsoleLink, "token_sha256", each, {"used_at": now - LONG})
        aged(connection, Alert, "id", each - 1, {"resolved_at": now - LONG})
        everything = update(table_of(AlertNotice)).values(claimed_at=now - LONG)
        connection.execute(everything)
        last = select(func.max(table_of(ConsoleSession).c.token_sha256)).scalar_subquery()
        session = table_of(ConsoleSession)
        revoked = update(session).where(session.c.token_sha256 == last)
        connection.execute(revoked.values(revoked_at=now - LONG))


def aged(
    connection: Connection, model: type, key: str, count: int, values: dict[str, object]
) -> None:
    """The first rows of a table get these values."""
    table = table_of(model)
    some = select(table.c[key]).order_by(table.c[key]).limit(count)
    connection.execute(update(table).where(table.c[key].in_(some)).values(values))


def left(engine: Engine) -> list[int]:
    with reading(engine) as connection:
        counts = (select(func.count()).select_from(table_of(model)) for model in TABLES)
        return [connection.scalar(count) or 0 for count in counts]


def test_what_is_over_goes_in_batches_and_is_counted(settings: Settings) -> None:
    engine = engine_for(settings.sql_url)
    fill(engine)
    assert left(engine) == [9, 9, 10]
    run = CliRunner().invoke(cli, ["purge", "--dry-run", "--format", "json"])
    shown = json.loads(run.stdout[run.stdout.index("[") :])
    assert {row["kind"]: row["would_go"] for row in shown} == {
        "sessions": 7,
        "links": 7,
        "notices": 7,
    }
    assert left(engine) == [9, 9, 10]
    settings.retention_batch = 3
    said = maintenance()
    assert all(f"7 {kind} purged" in said for kind in ("sessions", "links", "notices")), said
    assert left(engine) == [2, 2, 3], "an alert that stands keeps its notices"
    deeds = [one for one in audit.newest(engine) if one.action == "retention.purge"]
    assert {(deed.subject, deed.detail["count"]) for deed in deeds} == {
        ("sessions", 7),
        ("links", 7),
        ("notices", 7),
    }
    run = CliRunner().invoke(cli, ["purge"])
    assert "all else is kept for ever" in run.output
    assert left(engine) == [2, 2, 3]


def test_who_is_signed_in_stays_so(settings: Settings) -> None:
    engine = engine_for(settings.sql_url)
    fill(engine)
    with transaction(engine) as connection:
        token = sessions.begin(connection, "ida", lasts=SOON, agent="test")
        link = links.make(connection, "ida", by="test")
    run_ended(engine, settings, by="test")
    assert sessions.signed_in(engine, token) is not None
    assert links.whose(engine, link) == "ida"


def test_maintenances_role_may(postgresql_url: str, settings: Settings) -> None:
    with database_users(postgresql_url) as made:
        fill(made.owner)
        gone = run_ended(made.engine("maintenance"), settings, by="test")
        assert [one.count for one in gone] == [7, 7, 7]
        assert left(made.owner) == [2, 2, 3]


def test_a_limit_that_would_end_what_stands_is_refused() -> None:
    with pytest.raises(ValueError, match="retention_ended_days"):
        Settings(retention_ended_days=0.5)
