"""Rows are dated by the database's clock: those of the machines that write them differ."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

import pytest
from sqlalchemy import Engine

from db import alerts
from db.inspections.inspections import commit_inspections
from db.labels import decisions, labels
from db.labels.decisions import NewDecision
from db.labels.labels import NewLabel
from db.session import engine_for
from tests.support.committed import committed
from tests.support.part_facts import PRODUCT, a_plant
from tests.support.records import a_record

_BEHIND = timedelta(minutes=10)


class _Behind(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        """What a machine says whose clock is behind."""
        return super().now(tz) - _BEHIND


@pytest.fixture
def engine(postgresql_url: str) -> Engine:
    """PostgreSQL only: a SQLite file has one machine."""
    return engine_for(postgresql_url)


@contextmanager
def on_a_machine_that_is_behind() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patched:
        for module in (alerts, labels, decisions):
            patched.setattr(module, "datetime", _Behind)
        yield


def test_an_alert_of_a_worker_whose_clock_is_behind_stands(engine: Engine) -> None:
    with on_a_machine_that_is_behind():
        committed(
            engine,
            alerts.raise_alert,
            kind="model_refused",
            severity="critical",
            message="m",
            source="w1",
        )
    unseen_for = _BEHIND / 2
    kinds = ["model_refused"]
    assert committed(engine, alerts.lapse, kinds=kinds, unseen_for=unseen_for) == 0
    assert len(alerts.open_alerts(engine)) == 1


def test_the_latest_word_is_the_one_that_was_said_last(engine: Engine) -> None:
    a_plant(engine)
    picture = a_record(product=PRODUCT, part="P-1")
    commit_inspections(engine, [picture], UTC)
    committed(engine, labels.add_labels, [NewLabel(picture.id, "ok", "ann")])
    committed(engine, decisions.add, [NewDecision(PRODUCT, "P-1", "ok", "ann")])
    with on_a_machine_that_is_behind():
        committed(engine, labels.add_labels, [NewLabel(picture.id, "bent", "bob")])
        committed(engine, decisions.add, [NewDecision(PRODUCT, "P-1", "bent", "bob")])
    assert labels.latest(engine, PRODUCT) == {picture.id: "bent"}
    (last,) = decisions.current(engine, PRODUCT)
    assert (last.decided_by, last.defect_class) == ("bob", "bent")
