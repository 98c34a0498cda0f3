"""What a worker answers to remote control."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from celery.worker.control import Panel

from linewatch.settings import Settings
from tests.support.marked import Marked
from workers.app import make_app
from workers.bootsteps import SecretsStep
from workers.broker.remote_control import keep_secrets

MARKED = Marked("redis", "signing")
SETTINGS = Settings(
    redis_url=f"redis://worker:{MARKED.in_url('redis')}@127.0.0.1:1/0",
    signing_keys=f"a:{MARKED.plain('signing')}",
)


@pytest.fixture(autouse=True)
def _panel() -> Iterator[None]:
    before = dict(Panel.data)
    yield
    Panel.data.clear()
    Panel.data.update(before)


def _asked(name: str, **arguments: Any) -> str:
    app = make_app(SETTINGS)
    # Settings of somebody else's, which Celery cannot know to be secret.
    app.conf.update(
        other_url=SETTINGS.redis_url,
        others={"deep": [SETTINGS.redis_url]},
        options={"sentinel_kwargs": {"credential": MARKED["redis"]}},
        beat_schedule={"x": {"args": (MARKED.plain("signing"),)}},
    )
    worker = SimpleNamespace(stats=lambda: {"broker": {"alternates": [SETTINGS.redis_url]}})
    state = SimpleNamespace(app=app, consumer=SimpleNamespace(controller=worker))
    return json.dumps(Panel.data[name](state, **arguments), default=repr)


@pytest.mark.parametrize("name", ["conf", "report", "stats"])
def test_no_answer_holds_a_secret_of_the_settings(name: str) -> None:
    assert MARKED.shown(_asked(name)) != []  # Celery hides some, and these not
    keep_secrets(SETTINGS)
    keep_secrets(SETTINGS)  # a worker that starts again in the same process
    said = _asked(name)
    assert MARKED.shown(said) == []
    assert "127.0.0.1:1" in said


def test_every_worker_takes_them_out() -> None:
    assert SecretsStep in make_app(SETTINGS).steps["worker"]
