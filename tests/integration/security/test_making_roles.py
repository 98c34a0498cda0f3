"""How the PostgreSQL roles are made, given their limits, and brought up to date."""

from __future__ import annotations

from datetime import UTC

import pytest
from click.testing import CliRunner
from sqlalchemy import make_url, text

from db import audit, migrate, roles
from db import logins as database_logins
from db.inspections.inspections import commit_inspections
from db.session import dispose, engine_for, reading, transaction
from linewatch.cli import cli
from linewatch.errors import DatabaseError
from tests.support.committed import committed
from tests.support.database_users import Users
from tests.support.role_rows import record, refused


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
