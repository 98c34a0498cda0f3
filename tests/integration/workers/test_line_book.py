"""Takt alarms and policies, against both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from db import alerts, audit
from db.inspections import commit_inspections
from db.records import InspectionRecord
from db.session import engine_for
from db.stations import all_lines, set_line
from linewatch.cli import cli
from linewatch.errors import LineError
from linewatch.settings import Settings
from tests.support.records import a_record
from workers.line_book import LineBook


def verdict(latency_s: float, line: str = "L1") -> InspectionRecord:
    now = datetime.now(UTC)
    captured = now - timedelta(seconds=latency_s)
    return a_record(id=uuid4(), line=line, decided_at=now, captured_at=captured)


@pytest.fixture
def book(engine: Engine) -> LineBook:
    commit_inspections(engine, [a_record()], UTC)
    set_line(engine, "L1", takt_budget_s=2.0, policy="newest-first", by="ann")
    made = LineBook(engine, period_s=0.5)
    made.refresh()
    return made


def commit(engine: Engine, book: LineBook, *records: InspectionRecord) -> None:
    commit_inspections(engine, records, UTC)
    book.note(records)
    book.check()


def standing(engine: Engine) -> list[str | None]:
    return [alert.line for alert in alerts.open_alerts(engine) if alert.kind == "takt"]


def test_a_late_verdict_raises_one_alarm_whoever_sees_it(engine: Engine, book: LineBook) -> None:
    second = LineBook(engine)
    second.refresh()
    commit(engine, book, verdict(0.1))
    assert standing(engine) == []
    commit(engine, book, verdict(5))
    commit(engine, second, verdict(7))
    assert standing(engine) == ["L1"]
    assert "takt budget of 2 s" in alerts.open_alerts(engine)[0].message


def test_an_alarm_ends_when_no_worker_is_late_any_more(engine: Engine, book: LineBook) -> None:
    commit(engine, book, verdict(5))
    second = LineBook(engine, period_s=0.001)
    second.start()  # knows the standing alarm from the database
    second.stop()
    book.note([verdict(0.1)])
    book.check()
    assert standing(engine) == ["L1"]  # a late one was committed a moment ago, by whomever
    commit(engine, second, verdict(0.1))
    assert standing(engine) == []


def test_a_removed_budget_ends_the_alarm(engine: Engine, book: LineBook) -> None:
    commit(engine, book, verdict(5))
    set_line(engine, "L1", takt_budget_s=None, policy="fifo", by="ann")
    book.refresh()
    book.check()
    assert standing(engine) == []
    assert not book.newest_first("L1")


def test_policies_are_looked_up(book: LineBook) -> None:
    assert book.newest_first("L1")
    assert not book.newest_first("L2")


def test_lines_are_set_and_audited(engine: Engine, book: LineBook) -> None:
    (line,) = all_lines(engine)
    assert (line.takt_budget_s, line.policy) == (2.0, "newest-first")
    deed = audit.newest(engine, 1)[0]
    assert (deed.actor, deed.action, deed.subject) == ("ann", "line.set", "L1")
    with pytest.raises(LineError, match="appears with its first picture"):
        set_line(engine, "L9", takt_budget_s=1.0, policy="fifo", by="ann")
    with pytest.raises(LineError, match="newest-first"):
        set_line(engine, "L1", takt_budget_s=1.0, policy="lifo", by="ann")


def test_the_command_changes_only_what_it_is_given(settings: Settings) -> None:
    commit_inspections(engine_for(settings.sql_url), [a_record()], UTC)
    run = CliRunner().invoke
    for arguments in (["--takt-budget", "2.5"], ["--policy", "newest-first"]):
        assert run(cli, ["lines", "set", "L1", *arguments]).exit_code == 0
    found = run(cli, ["lines", "list", "--format", "csv"]).output
    assert found.splitlines() == ["line,takt_budget_s,policy,cameras", "L1,2.5,newest-first,C1"]
    assert "no takt budget" in run(cli, ["lines", "set", "L1", "--takt-budget", "none"]).output
    assert run(cli, ["lines", "set", "L1", "--takt-budget", "-1"]).exit_code != 0
