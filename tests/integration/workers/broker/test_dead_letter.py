"""What a worker keeps of the messages it buries, and what it says where it cannot."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, create_engine
from sqlalchemy.exc import SQLAlchemyError

from db import session
from db.inspections import dead_letters
from producer.contract import Reason
from workers.broker.dead_letter import MAX_LOGGED, MAX_PAYLOAD, bury, keep

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize(
    ("message", "payload"),
    [
        ({"images": [1]}, '{"images": [1]}'),
        ({"odd": UUID(int=1)}, json.dumps({"odd": repr(UUID(int=1))})),
        ("as it is", "as it is"),
        (b"no UTF-8: \xff", r"no UTF-8: \xff"),
        (b"x" * (MAX_PAYLOAD + 1), "x" * MAX_PAYLOAD),
    ],
    ids=["JSON", "no JSON", "text", "bytes", "too many bytes"],
)
def test_what_is_kept(engine: Engine, message: object, payload: str) -> None:
    picture = uuid4()
    keep(engine, message, reason=Reason.POISON, detail="why", task_id="task-1", image_id=picture)
    (letter,) = dead_letters.newest(engine)
    assert letter.payload == payload
    assert (letter.reason, letter.detail) == (Reason.POISON, "why")
    assert (letter.task_id, letter.image_id) == ("task-1", picture)


@pytest.fixture
def no_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """A process whose database has no tables."""
    engine = create_engine(f"sqlite:///{tmp_path / 'empty.db'}")
    monkeypatch.setattr(session, "default_engine", lambda: engine)
    return engine


def test_what_cannot_be_kept_is_in_the_log_and_stays_held(
    no_database: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        assert not bury(b"y" * (MAX_LOGGED + 1), "not JSON")
    said = caplog.records[-1].getMessage()
    assert said.startswith("dead letter not stored")
    assert said.count("y" * MAX_LOGGED) == 1
    assert "y" * (MAX_LOGGED + 1) not in said
    with pytest.raises(SQLAlchemyError):  # a task must not acknowledge its message
        keep(no_database, {}, reason=Reason.POISON, detail="", task_id=None)


def test_a_worker_buries_in_one_place() -> None:
    calls: dict[str, Any] = {
        path.name: found
        for path in (ROOT / "workers").rglob("*.py")
        if (found := re.findall(r"dead_letters\.add\(", path.read_text()))
    }
    assert calls == {"dead_letter.py": ["dead_letters.add("]}
