"""Encodings, read-only sessions and sessions that were ended, on a real PostgreSQL."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import psycopg
import pytest
import redis
from click.testing import CliRunner
from psycopg import errors
from sqlalchemy import exc, make_url, text

from db import migrate
from db.inspections.inspections import commit_inspections, outcomes
from db.outage import away, in_a_line, spoils_connection
from db.session import engine_for, explained, reading
from linewatch.cli import cli
from linewatch.doctor.diagnosis import examine
from linewatch.doctor.findings import State
from linewatch.errors import DatabaseError
from linewatch.settings import Settings
from tests.support.records import a_record
from tests.support.waiting import until
from workers.pipeline.commit_request import CommitRequest
from workers.pipeline.committer import Committer
from workers.pipeline.receipts import ReceiptWriter
from workers.pipeline.reply import Reply

HELD_S = 30.0


@pytest.fixture
def administrator(postgresql_url: str) -> Iterator[Callable[[str], None]]:
    """Runs a statement as somebody else; `{db}` is the database's name."""
    url = make_url(postgresql_url)
    plain = url.set(drivername="postgresql", database="postgres")
    with psycopg.connect(plain.render_as_string(hide_password=False), autocommit=True) as own:
        yield lambda statement: own.execute(statement.format(db=url.database))  # type: ignore[func-returns-value, arg-type]
        own.execute(f'ALTER DATABASE "{url.database}" RESET ALL')


TERMINATE = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{db}'"


def pending(reply: Reply) -> CommitRequest:
    return CommitRequest(a_record(id=uuid4()), None, reply)


def test_a_read_only_session_is_thrown_away(
    postgresql_url: str, administrator: Callable[[str], None]
) -> None:
    """After a failover a session is open, answers, and never writes again."""
    engine = engine_for(postgresql_url)
    with reading(engine) as connection:  # the session that will be read-only for good
        connection.exec_driver_sql("SET default_transaction_read_only = on")
        connection.commit()
    with pytest.raises(exc.InternalError, match="read-only"):
        commit_inspections(engine, [a_record()], UTC)
    record = a_record(id=uuid4())
    assert commit_inspections(engine, [record], UTC) == {record.id}


def test_a_read_only_server_is_not_connected_to(
    postgresql_url: str, administrator: Callable[[str], None]
) -> None:
    administrator('ALTER DATABASE "{db}" SET default_transaction_read_only = on')
    with pytest.raises(DatabaseError, match="read-only"), explained(postgresql_url):
        engine_for(postgresql_url).connect()
    read_only = f"{postgresql_url}?target_session_attrs=any"  # for whoever only reads
    with reading(engine_for(read_only)) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


def test_the_first_writable_of_several_hosts_is_used(postgresql_url: str) -> None:
    url = make_url(postgresql_url)
    several = url.set(host=None, port=None).update_query_dict(
        {"host": [f"127.0.0.1:{1}", f"{url.host}:{url.port}"]}
    )
    with reading(engine_for(several.render_as_string(hide_password=False))) as connection:
        assert connection.execute(text("SELECT 1")).scalar() == 1


@pytest.fixture
def committer(postgresql_url: str, redis_url: str) -> Iterator[Committer]:
    receipts = ReceiptWriter(redis.Redis.from_url(redis_url))
    made = Committer(engine_for(postgresql_url), receipts, timezone=ZoneInfo("UTC"), depth=512)
    made.start()
    yield made
    made.stop(1.0)


def test_a_failover_is_held_out_and_ends(
    postgresql_url: str,
    committer: Committer,
    administrator: Callable[[str], None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Read-only sessions are made during the failover; nobody closes them after it."""
    engine = engine_for(postgresql_url)
    first = Reply(1)
    committer.put([pending(first)])
    assert first.wait(HELD_S)
    with caplog.at_level(logging.WARNING):
        administrator('ALTER DATABASE "{db}" SET default_transaction_read_only = on')
        administrator(TERMINATE)
        second = Reply(1)
        row = pending(second)
        committer.put([row])
        until(lambda: committer.holding.now, HELD_S)
        assert not second.wait(1.0)
        administrator('ALTER DATABASE "{db}" RESET default_transaction_read_only')
        assert second.wait(HELD_S), "it holds though writing is possible again"
    assert second.failures == {}
    assert set(outcomes(engine, [row.row.id])) == {row.row.id}
    assert not committer.holding.now
    said = [record.getMessage() for record in caplog.records]
    assert [line.split(",")[0].split(" after")[0] for line in said] == [
        "database away",
        "database back",
    ]


@pytest.mark.parametrize(
    "statement",
    [
        pytest.param(TERMINATE, id="57P01 sessions ended"),
        pytest.param('ALTER DATABASE "{db}" ALLOW_CONNECTIONS false', id="57P03 nobody let in"),
        pytest.param('ALTER DATABASE "{db}" CONNECTION LIMIT 0', id="53300 too many connections"),
    ],
)
def test_it_holds_while_nobody_is_let_in(
    committer: Committer,
    postgresql_url: str,
    administrator: Callable[[str], None],
    monkeypatch: pytest.MonkeyPatch,
    statement: str,
) -> None:
    limited = "LIMIT" in statement
    role = f"linewatch_test_{uuid4().hex[:12]}"
    if limited:  # not for superusers
        administrator(f"CREATE ROLE {role} LOGIN")
        administrator(f"GRANT {role} TO postgres")
        plain = make_url(postgresql_url).set(username=role)
        monkeypatch.setattr(
            committer, "_engine", engine_for(plain.render_as_string(hide_password=False))
        )
    administrator(statement)
    administrator(TERMINATE)
    reply = Reply(1)
    committer.put([pending(reply)])
    if statement is not TERMINATE:
        until(lambda: committer.holding.now, HELD_S)
        assert not reply.wait(0.3)
        if limited:
            monkeypatch.undo()
            administrator('ALTER DATABASE "{db}" CONNECTION LIMIT -1')
            monkeypatch.setattr(committer, "_engine", engine_for(postgresql_url))
            administrator(f"DROP ROLE {role}")
        administrator('ALTER DATABASE "{db}" ALLOW_CONNECTIONS true')
    assert reply.wait(HELD_S)
    assert reply.failures == {}


@pytest.mark.product_limits
def test_a_session_idle_in_its_transaction_is_ended_and_replaced(postgresql_url: str) -> None:
    engine = engine_for(postgresql_url)
    with reading(engine) as connection:
        assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "5s"
        connection.exec_driver_sql("SET idle_in_transaction_session_timeout = 50")
        connection.exec_driver_sql("SELECT 1")
        time.sleep(0.3)  # idleness is what the server measures
        with pytest.raises(exc.DBAPIError) as ended:
            connection.exec_driver_sql("SELECT 1")
    assert away(ended.value)
    assert commit_inspections(engine, [a_record()], UTC)


def _wrapped(error: Exception) -> exc.DBAPIError:
    made = exc.DBAPIError.instance("SELECT", {}, error, psycopg.Error)
    assert isinstance(made, exc.DBAPIError)
    return made


AWAY = (
    *("ReadOnlySqlTransaction", "AdminShutdown", "CrashShutdown", "CannotConnectNow"),
    *("TooManyConnections", "DiskFull", "OutOfMemory", "IdleInTransactionSessionTimeout"),
    *("SerializationFailure", "DeadlockDetected", "LockNotAvailable", "QueryCanceled", "IoError"),
    *("ConnectionFailure", "InvalidPassword", "InvalidCatalogName", "InvalidSqlStatementName"),
    "DuplicatePreparedStatement",
)
REFUSED = (
    *("UntranslatableCharacter", "NumericValueOutOfRange", "CheckViolation", "NotNullViolation"),
    *("ForeignKeyViolation", "RaiseException", "InsufficientPrivilege", "UndefinedTable"),
    *("StringDataRightTruncation", "InvalidTextRepresentation", "ProgramLimitExceeded"),
    *("InternalError_", "GeneratedAlways", "ObjectNotInPrerequisiteState"),
)


@pytest.mark.parametrize("name", AWAY)
def test_waiting_mends_it(name: str) -> None:
    assert away(_wrapped(getattr(errors, name)("x")))


@pytest.mark.parametrize("name", REFUSED)
def test_waiting_does_not_mend_it(name: str) -> None:
    error = _wrapped(getattr(errors, name)("x"))
    assert not away(error)
    assert not spoils_connection(error)


def test_what_a_driver_says_by_itself() -> None:
    assert away(_wrapped(psycopg.OperationalError("connection refused")))
    assert not away(_wrapped(psycopg.DataError("NUL in a string")))
    assert not away(UnicodeEncodeError("latin-1", "€", 0, 1, "no"))
    assert in_a_line(_wrapped(psycopg.DataError("two\nlines"))) == "two lines"


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_another_encoding_is_refused(
    _postgresql: Any,  # noqa: PT019 - a server, or why there is none
    make_settings: Callable[..., Settings],
    encoding: str,
) -> None:
    if isinstance(_postgresql, str):
        pytest.skip(_postgresql)
    url = _postgresql.create(encoding)
    try:
        settings = make_settings(database_url=url)
        wanted = f"has the encoding {encoding}"
        said = CliRunner().invoke(cli, ["db", "upgrade"])
        assert wanted in str(said.exception)
        with pytest.raises(DatabaseError, match=wanted):  # a worker's start
            migrate.require(url)
        finding = next(f for f in examine(settings) if f.check == "database")
        assert (finding.state, wanted in finding.detail) == (State.FAIL, True)
    finally:
        from db import session

        session.dispose()
        _postgresql.drop(url)


def test_the_role_may_speak_another_encoding(
    postgresql_url: str, administrator: Callable[[str], None]
) -> None:
    administrator("ALTER DATABASE \"{db}\" SET client_encoding = 'LATIN1'")
    engine = engine_for(postgresql_url)
    record = a_record(id=uuid4(), part="部品-1", image_uri="/€5.png")
    assert commit_inspections(engine, [record], UTC) == {record.id}


def test_a_server_that_is_too_old_is_refused(
    postgresql_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrate, "OLDEST_POSTGRESQL", 99)
    for look in (migrate.upgrade, migrate.check):
        with pytest.raises(DatabaseError, match=r"is PostgreSQL .*needs 99 or newer"):
            look(postgresql_url)
