"""Conditions raise alerts, which end with them."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
from sqlalchemy import Engine, update

from db.alerting import leases, seen_to, sightings
from db.base import table_of
from db.calendars.ahead import spans_ensured
from db.challenges.challenges import end, start
from db.inspections.inspections import commit_inspections
from db.products import register
from db.session import engine_for, transaction
from db.tables import Challenge, WorkerSighting
from linewatch.alerting.file import parse
from linewatch.alerting.looking import Looker
from linewatch.alerting.notifier import LEASE, Notifier
from linewatch.alerting.rules import AlertsFile, QueueAge, ReviewBacklog, Rules, ShiftUnverified
from linewatch.alerting.sending import Sender
from linewatch.products import parse_product
from linewatch.settings import Settings
from producer.contract import QUEUE, Verdict
from tests.support.committed import committed
from tests.support.database_users import database_users
from tests.support.records import a_record
from tests.support.told import Hook, web_server
from workers.fleet import FleetWorker

RULES = Rules(
    queue_age=QueueAge(after_s=10),
    review_backlog=ReviewBacklog(parts=2),
    shift_unverified=ShiftUnverified(after_min=0),
)


@pytest.fixture
def engine(database_url: str) -> Engine:
    engine = engine_for(database_url)
    spans_ensured(engine, UTC)
    return engine


@pytest.fixture
def hook() -> Iterator[Hook]:
    with web_server() as hook:
        yield hook


@pytest.fixture
def look(
    engine: Engine, make_settings: Callable[..., Settings], redis_url: str
) -> Callable[..., dict[str, str]]:
    """Looks once; gives the alerts that stand then, by kind: what they are about."""
    settings = make_settings(redis_url=redis_url, camera_silent_s="0.001")

    def look(
        workers: list[FleetWorker] | None = None, rules: Rules = RULES, **lasting: float
    ) -> dict[str, str]:
        lasts = timedelta(**lasting) if lasting else timedelta(minutes=2)
        Looker(engine, settings, rules, lambda _: workers, lasts).look()
        found = seen_to.read(engine).alerts
        return {one.kind: "/".join(filter(None, (one.line, one.source))) for one in found}

    return look


def commit(engine: Engine, *, ago_s: float, **fields: Any) -> None:
    at = datetime.now(UTC) - timedelta(seconds=ago_s)
    commit_inspections(engine, [a_record(decided_at=at, captured_at=at, **fields)], UTC)


def test_a_silent_camera(engine: Engine, look: Callable[..., dict[str, str]]) -> None:
    commit(engine, ago_s=3600)
    assert look() == {"camera_silent": "L1/C1"}
    assert look() == {"camera_silent": "L1/C1"}
    (alert,) = seen_to.read(engine, state="all").alerts
    assert (alert.severity, alert.state) == ("critical", "open")
    commit(engine, ago_s=-60, part="P-2")  # a clock ahead: as if it were sending all the while
    assert look() == {}
    (alert,) = seen_to.read(engine, state="all").alerts
    assert (alert.state, alert.closed_by) == ("closed", None)


def test_what_a_person_closed_stays_closed_while_it_lasts(
    engine: Engine, look: Callable[..., dict[str, str]]
) -> None:
    commit(engine, ago_s=3600)
    look()
    (alert,) = seen_to.read(engine).alerts
    committed(engine, seen_to.close, alert.id, by="ida", note="is being cleaned")
    assert look() == {}
    assert look() == {}
    # it was otherwise for longer than a condition is taken to last
    assert look(microseconds=1) == {"camera_silent": "L1/C1"}
    assert len(seen_to.read(engine, state="all").alerts) == 2


def test_a_silent_worker(engine: Engine, look: Callable[..., dict[str, str]]) -> None:
    one = FleetWorker("inspect@a", True, "cpu")
    assert look([one, FleetWorker("train@a", False)]) == {}
    assert list(sightings.sightings(engine)) == ["inspect@a"]
    assert look([]) == {}  # not for long
    seen = table_of(WorkerSighting)
    with transaction(engine) as connection:
        long_ago = datetime.now(UTC) - timedelta(minutes=5)
        connection.execute(update(seen).values(seen_at=long_ago))
    assert look([]) == {"worker_silent": "inspect@a"}
    assert look(None) == {"worker_silent": "inspect@a"}  # nobody could be asked
    assert look([one]) == {}


def test_an_old_message(
    engine: Engine, look: Callable[..., dict[str, str]], redis_url: str
) -> None:
    sent = datetime.now(UTC) - timedelta(seconds=60)
    arguments = json.dumps([[{"enqueued_at": sent.isoformat()}]])
    message = {"body": base64.b64encode(arguments.encode()).decode()}
    client = redis.Redis.from_url(redis_url)
    client.lpush(QUEUE, json.dumps(message))
    assert look() == {"queue_age": ""}
    client.delete(QUEUE)
    assert look() == {}


def test_redis_away(engine: Engine, make_settings: Callable[..., Settings]) -> None:
    settings = make_settings(redis_url="redis://127.0.0.1:1/0")
    Looker(engine, settings, RULES, lambda _: None, timedelta(minutes=2)).look()
    (alert,) = seen_to.read(engine).alerts
    assert (alert.kind, alert.severity) == ("redis_away", "critical")


def test_open_parts_and_a_shift_that_is_not_verified(
    engine: Engine, look: Callable[..., dict[str, str]]
) -> None:
    classes = [{"code": "good", "good": True}, {"code": "bent_wire"}]
    spec = parse_product({"product": "cable", "classes": classes}, "a test")
    committed(engine, register, spec)
    commit(engine, ago_s=-60, verdict=Verdict.REVIEW)
    assert look() == {}
    commit(engine, ago_s=-60, verdict=Verdict.REVIEW, part="P-2")
    assert look() == {"review_backlog": "L1"}

    known = [("cable", "BAD-1", "bent_wire")]
    committed(engine, start, "L1", known, minutes=5, by="ida")
    committed(engine, end, "L1", by="ida")
    assert "shift_unverified" not in look()  # missed, which is an alert of its own
    with transaction(engine) as connection:
        last_week = datetime.now(UTC) - timedelta(days=7)
        connection.execute(update(table_of(Challenge)).values(started_at=last_week))
    assert look()["shift_unverified"] == "L1"


def test_the_notifier_may_do_its_work_as_maintenance(
    postgresql_url: str, make_settings: Callable[..., Settings], redis_url: str, hook: Hook
) -> None:
    owner = engine_for(postgresql_url)
    spans_ensured(owner, UTC)
    commit(owner, ago_s=3600, verdict=Verdict.REVIEW)
    settings = make_settings(redis_url=redis_url, camera_silent_s="0.001")
    channels = {"day": {"to": hook.url, "summary": "true"}}
    file = AlertsFile(rules=RULES, channels=parse({"channels": channels}, "a test").channels)
    workers = [FleetWorker("inspect@a", True, "cpu")]
    with database_users(postgresql_url) as users:
        one = Notifier(
            users.engine("maintenance"), settings, file, Sender({}), ask=lambda _: workers
        )
        assert one.round()
        leases.give_up(users.engine("maintenance"), LEASE, one.name)
        found = leases.holder(users.engine("console"), LEASE)
    assert found is not None
    assert any("camera C1 sends nothing" in call["message"] for call in hook.calls)
