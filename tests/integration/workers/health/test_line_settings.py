"""Takt alarms and policies, against both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import uuid4

import pytest
from click.testing import CliRunner
from sqlalchemy import Engine

from db import alerts, audit
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord
from db.inspections.stations import LineChange, all_lines, configured_lines, set_line
from db.models import drift
from db.session import engine_for
from linewatch.cli import cli
from linewatch.errors import LineError
from linewatch.settings import Settings
from tests.support.committed import committed
from tests.support.interleaving import meanwhile
from tests.support.records import a_record
from workers.health.line_settings import LineSettings

# An alarm stands as long as a verdict of the last five periods was late, whoever gave it. A late
# one of so long ago is among them for who has the long period, and past for who has the short one.
LONG_S, WHILE_S, SHORT_S = 60.0, 10.0, 0.001


def verdict(latency_s: float, line: str = "L1", *, ago_s: float = 0.0) -> InspectionRecord:
    decided = datetime.now(UTC) - timedelta(seconds=ago_s)
    captured = decided - timedelta(seconds=latency_s)
    return a_record(id=uuid4(), line=line, decided_at=decided, captured_at=captured)


@pytest.fixture
def book(engine: Engine) -> LineSettings:
    commit_inspections(engine, [a_record()], UTC)
    committed(engine, set_line, "L1", {"takt_budget_s": 2.0, "policy": "newest-first"}, by="ann")
    made = LineSettings(engine, period_s=LONG_S)
    made.refresh()
    return made


def commit(engine: Engine, book: LineSettings, *records: InspectionRecord) -> None:
    commit_inspections(engine, records, UTC)
    book.note(records)
    book.check()


def standing(engine: Engine) -> list[str | None]:
    return [alert.line for alert in alerts.open_alerts(engine) if alert.kind == "takt"]


def test_a_late_verdict_raises_one_alarm_whoever_sees_it(
    engine: Engine, book: LineSettings
) -> None:
    second = LineSettings(engine)
    second.refresh()
    commit(engine, book, verdict(0.1))
    assert standing(engine) == []
    commit(engine, book, verdict(5))
    commit(engine, second, verdict(7))
    assert standing(engine) == ["L1"]
    assert "takt budget of 2 s" in alerts.open_alerts(engine)[0].message


def test_an_alarm_ends_when_no_worker_is_late_any_more(engine: Engine, book: LineSettings) -> None:
    commit(engine, book, verdict(5, ago_s=WHILE_S))
    second = LineSettings(engine, period_s=SHORT_S)
    second.start()  # knows the standing alarm from the database
    second.stop()
    book.note([verdict(0.1)])
    book.check()
    assert standing(engine) == ["L1"]  # a late one was committed a moment ago, by whomever
    commit(engine, second, verdict(0.1))
    assert standing(engine) == []


def test_an_alarm_outlives_the_worker_that_raised_it_and_ends(
    engine: Engine, book: LineSettings
) -> None:
    other = LineSettings(engine, period_s=SHORT_S)
    other.start()  # before there is any alarm
    other.stop()
    commit(engine, book, verdict(5, ago_s=WHILE_S))  # and then that worker dies
    assert standing(engine) == ["L1"]
    other.refresh()
    commit(engine, other, verdict(0.1))
    assert standing(engine) == []
    book.refresh()  # it lives after all: another late verdict is another alarm
    commit(engine, book, verdict(5))
    assert standing(engine) == ["L1"]


def test_a_removed_budget_ends_the_alarm(engine: Engine, book: LineSettings) -> None:
    commit(engine, book, verdict(5))
    committed(engine, set_line, "L1", {"takt_budget_s": None, "policy": "fifo"}, by="ann")
    book.refresh()
    book.check()
    assert standing(engine) == []
    assert not book.newest_first("L1")


def test_policies_are_looked_up(book: LineSettings) -> None:
    assert book.newest_first("L1")
    assert not book.newest_first("L2")


def test_lines_that_messages_invent_are_not_looked_up(engine: Engine, book: LineSettings) -> None:
    invented = [a_record(id=uuid4(), line=f"invented-{number}") for number in range(20)]
    commit_inspections(engine, invented, UTC)
    assert [line.code for line in configured_lines(engine)] == ["L1"]
    for takt_budget_s, policy in ((2.0, "fifo"), (None, "newest-first")):
        change = LineChange(takt_budget_s=takt_budget_s, policy=policy)
        committed(engine, set_line, "invented-7", change, by="ann")
        assert [line.code for line in configured_lines(engine)] == ["L1", "invented-7"]
    book.refresh()
    assert book.newest_first("invented-7")


def test_lines_are_set_and_audited(engine: Engine, book: LineSettings) -> None:
    (line,) = all_lines(engine)
    assert (line.takt_budget_s, line.policy) == (2.0, "newest-first")
    deed = audit.newest(engine, 1)[0]
    assert (deed.actor, deed.action, deed.subject) == ("ann", "line.set", "L1")
    with pytest.raises(LineError, match="appears with its first picture"):
        committed(engine, set_line, "L9", {"takt_budget_s": 1.0, "policy": "fifo"}, by="ann")
    with pytest.raises(LineError, match="newest-first"):
        committed(engine, set_line, "L1", {"takt_budget_s": 1.0, "policy": "lifo"}, by="ann")


def test_two_who_set_a_line_at_once(settings: Settings) -> None:
    """One sets the policy and one the takt budget: neither undoes what the other set."""
    engine = engine_for(settings.sql_url)
    commit_inspections(engine, [a_record()], UTC)
    other = partial(committed, engine, set_line, "L1", {"policy": "newest-first"}, by="ann")
    with meanwhile(engine, "BEGIN IMMEDIATE", other):
        done = CliRunner().invoke(cli, ["lines", "set", "L1", "--takt-budget", "2.5"])
    assert done.output == "L1: takt budget 2.5 s, newest-first\n"
    (line,) = all_lines(engine)
    assert (line.takt_budget_s, line.policy) == (2.5, "newest-first")


def test_the_command_changes_only_what_it_is_given(settings: Settings) -> None:
    commit_inspections(engine_for(settings.sql_url), [a_record()], UTC)
    run = CliRunner().invoke
    for arguments in (["--takt-budget", "2.5"], ["--policy", "newest-first"]):
        assert run(cli, ["lines", "set", "L1", *arguments]).exit_code == 0
    found = run(cli, ["lines", "list", "--format", "csv"]).output
    assert found.splitlines() == ["line,takt_budget_s,policy,cameras", "L1,2.5,newest-first,C1"]
    assert "no takt budget" in run(cli, ["lines", "set", "L1", "--takt-budget", "none"]).output
    assert run(cli, ["lines", "set", "L1", "--takt-budget", "-1"]).exit_code != 0
    assert "say what to set: --takt-budget" in run(cli, ["lines", "set", "L1"]).output


def test_a_line_that_was_changed_on_purpose_is_told(settings: Settings) -> None:
    engine = engine_for(settings.sql_url)
    for camera in ("C1", "C2"):
        of = drift.Camera("cable", "L1", camera, "cable-1")
        committed(engine, drift.keep, of, drift.Kept("{}", None), fingerprint="f")
    run = CliRunner().invoke
    asked = ["lines", "rebaseline", "L1", "--why", "a new lamp"]
    other = run(cli, [*asked, "--product", "bolt"])
    assert (other.exit_code, "L1, bolt: no camera has" in other.output) == (1, True)
    assert run(cli, asked).output == (
        "L1: baselines of drift forgotten: 2; the next parts make new ones\n"
    )
    assert run(cli, asked).exit_code == 1
    (deed,) = [d for d in audit.newest(engine) if d.action == "line.rebaseline"]
    assert (deed.subject, deed.detail["why"]) == ("L1", "a new lamp")
