"""What Prometheus is told of the receivers of verdicts."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine

from db.outbox import cursors
from db.session import transaction
from tests.support.outbox import committed, now_record, registered
from workers.health.output_gauges import output_gauges


def samples(engine: Engine) -> dict[tuple[str, ...], float]:
    """By the name without its beginning, and the labels' values."""
    return {
        (s.name.removeprefix("linewatch_output_"), *s.labels.values()): s.value
        for family in output_gauges(engine)
        for s in family.samples
    }


def test_backlog_and_age_are_of_each_receiver(engine: Engine) -> None:
    registered(engine, "L1", "gate", "mes")
    committed(engine, now_record(part="A"))
    time.sleep(0.2)
    committed(engine, now_record(part="B"), now_record(part="C"))
    with transaction(engine) as connection:
        assert cursors.replay(connection, "L1", "gate", 3)
        assert cursors.replay(connection, "L1", "mes", 1)
    found = samples(engine)
    assert (found["backlog", "L1", "gate"], found["oldest_seconds", "L1", "gate"]) == (0, 0)
    assert found["backlog", "L1", "mes"] == 2
    young = found["oldest_seconds", "L1", "mes"]
    with transaction(engine) as connection:
        assert cursors.replay(connection, "L1", "mes", 0)
    assert samples(engine)["oldest_seconds", "L1", "mes"] > young + 0.15


def test_waits_are_in_seconds_and_left_out_while_nothing_was_told(engine: Engine) -> None:
    registered(engine, "L1", "gate")
    assert not [key for key in samples(engine) if key[0] in ("told_seconds", "late_share")]
    figures = {"gate_p50_ms": 45.0, "gate_p99_ms": 120.0, "late_share": 0.25}
    with transaction(engine) as connection:
        cursors.describe(connection, "L1", "gate", figures=figures)
    found = samples(engine)
    assert found["told_seconds", "L1", "gate", "0.5"] == pytest.approx(0.045)
    assert found["told_seconds", "L1", "gate", "0.99"] == pytest.approx(0.12)
    assert found["late_share", "L1", "gate"] == 0.25


def test_one_state_is_1(engine: Engine) -> None:
    registered(engine, "L1", "gate")

    def now_is() -> list[str]:
        return [key[3] for key, value in samples(engine).items() if key[0] == "state" and value]

    assert now_is() == ["nobody"]
    with transaction(engine) as connection:
        assert cursors.take(connection, "L1", "gate", "me") is not None
    assert now_is() == ["told"]
    with transaction(engine) as connection:
        cursors.describe(connection, "L1", "gate", away_since=datetime.now(UTC))
    assert now_is() == ["away"]
    with transaction(engine) as connection:
        assert cursors.pause(connection, "L1", "gate", "anna")
    assert now_is() == ["paused"]
