"""What doctor says of queue, disk and clocks, against real servers."""

from __future__ import annotations

import io
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from rich.console import Console

from db import migrate
from db.alerts import raise_alert
from db.inspections.inspections import commit_inspections
from db.session import engine_for
from linewatch.doctor import clock_checks, environment_checks, health
from linewatch.doctor.findings import State
from linewatch.doctor.worker_figures import Stage, WorkerFigures
from linewatch.settings import Settings
from linewatch.top import Sample, look, screen
from producer.contract import QUEUE
from producer.queue_state import QueueState
from tests.integration.producer.test_back_pressure import stale
from tests.support.committed import committed
from tests.support.records import a_record

MakeSettings = Callable[..., Settings]


def test_a_long_or_old_queue_is_a_warning(
    settings: Settings, redis_url: str, make_settings: MakeSettings
) -> None:
    made = make_settings(redis_url=redis_url, max_queue_age_s=30, max_queue_depth=2)
    (finding,) = environment_checks.queue(made)
    assert (finding.state, finding.detail) == (State.OK, "0 messages wait")
    with redis.Redis.from_url(redis_url) as client:
        client.lpush(QUEUE, stale(timedelta(seconds=90)))
        (old,) = environment_checks.queue(made)
        assert old.state is State.WARN
        assert old.detail.startswith("1 messages wait, the oldest for 90 s; cameras keep")
        assert "(the oldest for 90 s)" in (health.stuck(made) or "")
        client.delete(QUEUE)
        client.lpush(QUEUE, *["x"] * 2)
        (long,) = environment_checks.queue(made)
        assert long.state is State.WARN


def test_room_on_the_disk(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, make_settings: MakeSettings
) -> None:
    missing = make_settings(data_dir=settings.data_dir / "not" / "there" / "yet")
    monkeypatch.setattr(environment_checks, "LEAST_FREE", 0.0)
    assert next(environment_checks.disk(missing)).state is State.OK
    monkeypatch.setattr(environment_checks, "LEAST_FREE", 1.0)
    assert next(environment_checks.disk(missing)).state is State.WARN


@contextmanager
def redis_of_another_time(ahead_s: float) -> Iterator[str]:
    """A server that speaks enough of Redis to be asked for the time, and is wrong about it."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                while data := connection.recv(4096):
                    if b"TIME" in data:
                        seconds = str(int(time.time() + ahead_s)).encode()
                        lines = [b"*2", b"$%d" % len(seconds), seconds, b"$1", b"0", b""]
                        connection.sendall(b"\r\n".join(lines))
                    else:
                        connection.sendall(b"+PONG\r\n" * data.count(b"*"))

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"redis://127.0.0.1:{server.getsockname()[1]}/0?protocol=2"
        thread.join(5)


@pytest.mark.parametrize(("ahead_s", "words"), [(30.0, "ahead of"), (-30.0, "behind")])
def test_clocks_that_differ_are_a_warning(settings: Settings, ahead_s: float, words: str) -> None:
    with redis_of_another_time(ahead_s) as url:
        # An option that only redis-py knows: the settings refuse it, this server needs it.
        of_this_server = settings.model_copy(update={"redis_url": url})
        (finding,) = clock_checks.of_redis(of_this_server)
    assert finding.state is State.WARN
    assert words in finding.detail


def test_clocks_of_one_machine_agree(
    redis_url: str, database_url: str, make_settings: MakeSettings
) -> None:
    made = make_settings(redis_url=redis_url, database_url=database_url)
    found = [*clock_checks.of_redis(made), *clock_checks.of_database(made)]
    assert {finding.state for finding in found} == {State.OK}
    assert len(found) == 1 + database_url.startswith("postgresql")


def text_of(sample: Sample, before: Sample | None = None) -> str:
    stream = io.StringIO()
    Console(file=stream, width=120).print(screen(sample, before))
    return stream.getvalue()


def test_top_shows_queue_verdicts_and_alarms(
    settings: Settings, redis_url: str, make_settings: MakeSettings
) -> None:
    made = make_settings(redis_url=redis_url)
    engine = engine_for(made.sql_url)
    commit_inspections(engine, [a_record(decided_at=datetime.now(UTC))], UTC)
    committed(
        engine,
        raise_alert,
        kind="takt",
        severity="warning",
        message="L1 [is] late\x1b[2J\u202e",
        line="L1",
    )
    seen = look(made, ["http://127.0.0.1:9/metrics"])
    text = text_of(seen)
    assert "0 messages" in text
    assert r"L1 [is] late\x1b[2J\u202e" in text  # what outsiders named does nothing here
    assert "http://127.0.0.1:9/metrics" in text
    assert [line.split()[:2] for line in text.splitlines() if line.split()[:1] == ["pass"]] == [
        ["pass", "1"]
    ]


def test_top_survives_what_is_away(make_settings: MakeSettings) -> None:
    made = make_settings(
        redis_url="redis://127.0.0.1:9/0", database_url="postgresql://nobody@127.0.0.1:9/none"
    )
    seen = look(made, [])
    assert len(seen.troubles) == 2
    assert text_of(seen).count("✗") == 2


def test_top_shows_rates_since_the_last_look() -> None:
    queue = QueueState(3, 1.5)
    old = WorkerFigures(stages={"infer": Stage(10, 1.0)})
    new = WorkerFigures(stages={"infer": Stage(20, 1.5)})
    before = Sample(10.0, queue, 0, {"pass": 100}, workers={"http://w:1/metrics": old})
    now = Sample(12.0, queue, 0, {"pass": 150}, workers={"http://w:1/metrics": new})
    lines = [line.split() for line in text_of(now, before).splitlines()]
    assert ["pass", "150", "25.0"] in lines
    assert ["infer", "50.0", "10"] in lines


def test_top_shows_each_workers_batches_memory_and_models() -> None:
    def gauges(in_flight: int, limit: int) -> dict[str, float]:
        shared = {"linewatch_suspects": 1.0, "linewatch_in_flight": float(in_flight)}
        return {**shared, "linewatch_batch_limit": float(limit)}

    first = {**gauges(3, 32), "linewatch_device_memory_bytes": 1.5 * 2**30}
    workers = {
        "http://127.0.0.1:9464/metrics": WorkerFigures(
            {"infer": Stage(20, 1.0)}, 20, 600, ("cable-3", "widget-1"), first
        ),
        "http://[::1]:9465/metrics": WorkerFigures(
            {"infer": Stage(10, 2.0)}, 10, 80, (), gauges(4, 8)
        ),
    }
    old = {"http://127.0.0.1:9464/metrics": WorkerFigures({}, 10, 345, ("cable-2",), first)}
    before = Sample(10.0, None, None, None, workers=old)
    lines = [
        line.split()
        for line in text_of(Sample(12.0, None, None, None, workers=workers), before).splitlines()
    ]
    assert ["127.0.0.1:9464", "25.5", "32", "1,536", "MiB", "cable-3,", "widget-1"] in lines
    assert ["[::1]:9465", "8.0", "8", "–", "none", "yet"] in lines
    assert ["pictures", "in", "flight", "7"] in lines
    assert ["suspects", "1"] in lines  # both say the same one
    assert ["infer", "100.0", "30"] in lines  # of both


def test_doctor_on_a_machine_with_nothing_speaks_in_sentences(tmp_path: Path) -> None:
    import os
    import subprocess
    import sys

    kept = {k: v for k, v in os.environ.items() if not k.startswith("LINEWATCH_")}
    done = subprocess.run(
        [sys.executable, "-m", "linewatch", "doctor"],
        env={**kept, "LINEWATCH_DATA_DIR": str(tmp_path / "var")},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 1
    assert "linewatch db upgrade" in " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout + done.stderr


def test_modes_that_are_too_open_are_warnings(
    make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, secrets = tmp_path / "data", tmp_path / "secrets"
    migrate.upgrade(make_settings(data_dir=data).sql_url)
    secrets.mkdir()
    (secrets / "LINEWATCH_SIGNING_KEYS").touch(mode=0o600)
    monkeypatch.setenv("LINEWATCH_SECRETS_DIR", str(secrets))
    (tight,) = environment_checks.modes(make_settings(data_dir=data))
    assert tight.state is State.OK
    loose = [data, data / "linewatch.db", secrets / "LINEWATCH_SIGNING_KEYS"]
    for path in loose:
        path.chmod(0o755 if path.is_dir() else 0o640)
    found = list(environment_checks.modes(make_settings(data_dir=data)))
    assert [f.state for f in found] == [State.WARN] * 3
    for path, finding in zip(loose, found, strict=True):
        assert f"`chmod {'700' if path.is_dir() else '600'} {path}`" in finding.detail


def test_a_file_of_settings_without_secrets_may_be_read_by_all(
    make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Services read the one that `linewatch init` makes, each as its own user."""
    (tmp_path / "data").mkdir(mode=0o700)
    made = make_settings(data_dir=tmp_path / "data")
    file = tmp_path / "environment"
    monkeypatch.setenv("LINEWATCH_ENV_FILE", str(file))
    for text, mode, state in (
        ("LINEWATCH_MAX_BATCH=7\nLINEWATCH_REDIS_URL=redis://h/0\n", 0o644, State.OK),
        ("LINEWATCH_MAX_BATCH=7\n", 0o664, State.WARN),  # whoever may write there redirects us
        ("LINEWATCH_SIGNING_KEYS=a:b\n", 0o644, State.WARN),
        ("LINEWATCH_REDIS_URL=redis://u:word@h/0\n", 0o644, State.WARN),
        ("LINEWATCH_REDIS_URL=redis://u:word@h/0\n", 0o600, State.OK),
    ):
        file.write_text(text)
        file.chmod(mode)
        (found,) = environment_checks.modes(made)
        assert found.state is state, (text, oct(mode))


def test_an_env_file_that_is_not_read_is_a_warning(
    make_settings: MakeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".env").write_text("LINEWATCH_MAX_BATCH=7\n")
    (tmp_path / "data").mkdir(mode=0o700)
    found = list(environment_checks.modes(make_settings(data_dir=tmp_path / "data")))
    assert [f.check for f in found if f.state is State.WARN] == ["settings"]
