"""A shift's summary goes out once, after the shift."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from console.words import say
from db import alerts
from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.session import engine_for, transaction
from db.tables import Alert, ShiftSpan
from linewatch.alerting.file import parse
from linewatch.alerting.notifier import Notifier
from linewatch.alerting.sending import Sender
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.integration.alerting.test_notifier import QUIET_RULES, nobody
from tests.support.committed import committed
from tests.support.records import a_record
from tests.support.told import Mailbox, smtp_server


@pytest.fixture
def engine(database_url: str) -> Engine:
    return engine_for(database_url)


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with smtp_server() as mailbox:
        yield mailbox


def test_a_summary_of_a_shift_that_ended(
    engine: Engine, make_settings: Callable[..., Settings], redis_url: str, mailbox: Mailbox
) -> None:
    ended = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    begun = ended - timedelta(hours=8)
    day = begun.date()
    edges = [begun - timedelta(days=30), begun, ended, ended + timedelta(days=30)]
    spans = [
        {"line": "", "starts_at": starts, "ends_at": ends, "shift": name, "plant_day": day}
        for starts, ends, name in zip(edges, edges[1:], ("", "early", "late"), strict=False)
    ]
    with transaction(engine) as connection:
        connection.execute(table_of(ShiftSpan).insert(), spans)
    within = begun + timedelta(hours=2)
    verdicts = [Verdict.PASS, Verdict.PASS, Verdict.PASS, Verdict.DEFECT, Verdict.REVIEW]
    records = [
        a_record(part=f"P-{n}", verdict=verdict, captured_at=within, decided_at=within)
        for n, verdict in enumerate(verdicts)
    ]
    commit_inspections(engine, records, UTC)
    number = committed(
        engine, alerts.raise_alert, kind="drift", severity="warning", message="C1 drifts"
    )
    with transaction(engine) as connection:
        moved = table_of(Alert).update().where(table_of(Alert).c.id == number)
        connection.execute(moved.values(raised_at=within))

    settings = make_settings(redis_url=redis_url)
    boss = {"to": mailbox.url, "summary": "true", "alerts": "false"}
    channels = {"boss": boss, "chef": {**boss, "language": "de"}}
    file = parse({"rules": QUIET_RULES, "channels": channels}, "a test")
    for name in "ab":
        one = Notifier(engine, settings, file, Sender({}), name=name, ask=nobody, words=say)
        one.round()
        one.round()
    (mail, german), (text, in_german) = mailbox.mails, mailbox.texts()
    assert german["subject"] == f"Linewatch: Schicht early vom {day}, 5 Teile"
    assert "L1, cable: 3 gut, 1 schlecht, 1 offen; 25.0% schlecht" in in_german
    assert "Meldungen: 1" in in_german
    assert mail["subject"] == f"Linewatch: shift early of {day}, 5 parts"
    assert "L1, cable: 3 good, 1 bad, 1 open; 25.0% bad" in text
    assert "Alerts: 1" in text
    assert "C1 drifts" in text
