"""Every verdict reaches every receiver, in order, whoever is away meanwhile."""

from __future__ import annotations

import csv
import hashlib
import hmac
import json
import os
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text

from db import alerts
from db.labels.decisions import NewDecision, add
from db.outbox import cursors, facts
from db.session import reading, transaction
from outputs import absence, sender
from outputs.dispatcher import Dispatcher
from outputs.file import parse_outputs
from outputs.status import receivers_shown
from producer.contract import Verdict
from tests.support.outbox import committed, now_record, registered
from tests.support.part_facts import a_plant
from tests.support.waiting import until
from tests.support.webhook_server import WebhookServer


@contextmanager
def dispatching(engine: Engine, *receivers: dict[str, Any], **line: Any) -> Iterator[Dispatcher]:
    file = parse_outputs({"lines": {"L1": {**line, "receivers": list(receivers)}}}, "a test")
    dispatcher = Dispatcher(engine, file)
    dispatcher.start()
    try:
        yield dispatcher
    finally:
        dispatcher.stop()


@pytest.fixture
def drop(tmp_path: Path) -> Path:
    folder = tmp_path / "drop"
    folder.mkdir()
    return folder


def a_drop(folder: Path, **fields: Any) -> dict[str, Any]:
    return {"name": "files", "kind": "drop", "folder": str(folder), **fields}


def dropped(folder: Path) -> list[dict[str, Any]]:
    """Results of the folder's files, by their names."""
    found = []
    for path in sorted(folder.glob("*.jsonl")):
        found += [json.loads(line) for line in path.read_text().splitlines()]
    return found


def a_webhook(tmp_path: Path, server: WebhookServer, **fields: Any) -> dict[str, Any]:
    secret = tmp_path / "secret"
    secret.write_text("0123456789abcdef0123456789abcdef\n")
    usual = {"name": "mes", "kind": "webhook", "url": server.url, "secret_file": str(secret)}
    return {**usual, "ack_timeout_s": 1.0, **fields}


@pytest.fixture
def server() -> Iterator[WebhookServer]:
    found = WebhookServer()
    yield found
    found.close()


def a_lot(engine: Engine, count: int, prefix: str = "P") -> list[str]:
    """Commit parts, some to a transaction; returns their serials in the order of the line."""
    records = [now_record(part=f"{prefix}{n:04d}") for n in range(count)]
    for start in range(0, count, 7):
        committed(engine, *records[start : start + 7])
    return [str(record.part) for record in records]


def test_every_verdict_is_told_in_order(engine: Engine, drop: Path) -> None:
    registered(engine, "L1", "files")
    before = a_lot(engine, 20, "A")
    with dispatching(engine, a_drop(drop)):
        after = a_lot(engine, 20, "B")
        until(lambda: len(dropped(drop)) == 40)
    found = dropped(drop)
    assert [one["part"] for one in found] == before + after
    assert [one["sequence"] for one in found] == list(range(1, 41))
    assert not list(drop.glob(".*"))


def test_what_was_committed_while_nobody_ran_is_told_once(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop)):
        first = a_lot(engine, 5, "A")
        until(lambda: len(dropped(drop)) == 5)
    second = a_lot(engine, 5, "B")
    with dispatching(engine, a_drop(drop)):
        until(lambda: len(dropped(drop)) == 10)
    assert [one["part"] for one in dropped(drop)] == first + second


def test_a_csv_has_a_column_for_each_field(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop, format="csv")):
        committed(engine, now_record(part="=1+1", verdict=Verdict.DEFECT, defect_class="bent_wire"))
        until(lambda: bool(list(drop.glob("*.csv"))))
    (row,) = csv.DictReader(next(drop.glob("*.csv")).open(newline=""))
    assert (row["part"], row["result"], row["classes"], row["passes"]) == (
        *("'=1+1", "ng", "bent_wire", "false"),
    )


def test_a_receiver_that_hangs_holds_no_other(
    sqlite_url: str, drop: Path, tmp_path: Path, server: WebhookServer
) -> None:
    engine = _engine(sqlite_url)
    server.answer = None
    with dispatching(engine, a_webhook(tmp_path, server), a_drop(drop)):
        parts = a_lot(engine, 30)
        until(lambda: len(dropped(drop)) == 30, 10)
        assert server.results == []
        server.answer = 200
        until(lambda: len(server.results) == 30)
    assert [one["part"] for one in server.results] == parts


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (500, "answers 500"),
        (302, "a redirect, which is not followed"),
        (b"garbage\r\n\r\n", ""),
        (None, "no answer within"),
    ],
)
def test_a_webhook_that_does_not_take_it_gets_it_again(
    sqlite_url: str,
    tmp_path: Path,
    server: WebhookServer,
    answer: int | bytes | None,
    words: str,
) -> None:
    engine = _engine(sqlite_url)
    server.answer = answer
    with dispatching(engine, a_webhook(tmp_path, server, ack_timeout_s=0.3)):
        parts = a_lot(engine, 10)
        until(lambda: words in str(shown(engine)["problem"]) and shown(engine)["problem"] != "")
        assert shown(engine)["state"] == "away"
        server.answer = 204
        until(lambda: len(server.results) == 10)
        until(lambda: shown(engine)["state"] == "told")
    assert [one["part"] for one in server.results] == parts


def shown(engine: Engine) -> dict[str, Any]:
    (row,) = receivers_shown(engine, None)
    return row


def _engine(url: str) -> Engine:
    from db.session import engine_for

    return engine_for(url)


def test_a_webhook_is_signed(sqlite_url: str, tmp_path: Path, server: WebhookServer) -> None:
    engine = _engine(sqlite_url)
    with dispatching(engine, a_webhook(tmp_path, server)):
        a_lot(engine, 3)
        until(lambda: len(server.results) == 3)
    headers, body = server.requests[-1]
    signed = f"{headers['Linewatch-Timestamp']}.{headers['Linewatch-Id']}.".encode() + body
    key = (tmp_path / "secret").read_bytes().strip()
    expected = hmac.new(key, signed, hashlib.sha256).hexdigest()
    assert headers["Linewatch-Signature"] == f"v1={expected}"


def test_a_webhook_that_was_down_and_came_back(sqlite_url: str, tmp_path: Path) -> None:
    engine = _engine(sqlite_url)
    first = WebhookServer()
    with dispatching(engine, a_webhook(tmp_path, first)):
        parts = a_lot(engine, 10, "A")
        until(lambda: len(first.results) == 10)
        first.close()
        parts += a_lot(engine, 10, "B")
        until(lambda: shown(engine)["state"] == "away")
        second = WebhookServer(first.port)
        try:
            until(lambda: {one["part"] for one in second.results} >= set(parts[10:]))
        finally:
            second.close()
    assert [one["part"] for one in second.results if one["part"] in parts[10:]] == parts[10:]


def test_an_absence_is_an_alert_until_it_is_over(
    sqlite_url: str, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(absence, "ALERT_AFTER_S", 0.2)
    engine = _engine(sqlite_url)
    shutil.rmtree(drop)

    def raised() -> list[str]:
        return [one.kind for one in alerts.open_alerts(engine)]

    with dispatching(engine, a_drop(drop)):
        a_lot(engine, 1)
        until(lambda: raised() == ["receiver_away"])
        assert "No such file" in str(shown(engine)["problem"])
        drop.mkdir()
        until(lambda: raised() == [])
    assert len(dropped(drop)) == 1


def test_parts_whose_views_do_not_come_are_no_verdict_once_and_late_when_they_do(
    engine: Engine, drop: Path
) -> None:
    a_plant(engine, views=["top", "side"])
    with dispatching(engine, a_drop(drop), deadline_s=0.5):
        committed(engine, now_record(product="plug", part="HALF", camera="top"))
        whole = [now_record(product="plug", part="WHOLE", camera=c) for c in ("top", "side")]
        committed(engine, *whole)
        until(lambda: "no_verdict" in words("HALF", drop))
        committed(engine, now_record(product="plug", part="HALF", camera="side"))
        until(lambda: len(words("HALF", drop)) == 2)
    assert words("WHOLE", drop) == ["ok"]
    assert words("HALF", drop) == ["no_verdict", "ok"]
    last = next(one for one in dropped(drop) if one["part"] == "HALF" and one["revision"] == 2)
    assert (last["late"], last["passes"]) == (True, False)


def words(part: str, folder: Path) -> list[str]:
    return [one["result"] for one in dropped(folder) if one["part"] == part]


@pytest.mark.parametrize(
    "count", [500, pytest.param(10_000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])]
)
def test_parts_that_never_complete_hold_nobody_up(sqlite_url: str, drop: Path, count: int) -> None:
    engine = _engine(sqlite_url)
    a_plant(engine, views=["top", "side"])
    old = datetime.now(UTC) - timedelta(seconds=1)
    with dispatching(engine, a_drop(drop, most=5000), deadline_s=0.5):
        for start in range(0, count, 250):
            half = (
                now_record(product="plug", part=f"H{n}", camera="top", captured_at=old)
                for n in range(start, start + 250)
            )
            committed(engine, *half)
        committed(engine, now_record(part="GOOD"))
        until(lambda: words("GOOD", drop) == ["ok"])
        until(lambda: len(dropped(drop)) == count + 1, 300)
    found = dropped(drop)
    assert len({one["part"] for one in found}) == count + 1
    assert sum(one["no_verdict"] for one in found) == count


def test_a_person_s_decision_is_told_as_a_revision(engine: Engine, drop: Path) -> None:
    a_plant(engine)
    with dispatching(engine, a_drop(drop)):
        committed(engine, now_record(product="plug", part="P-1", verdict=Verdict.REVIEW))
        until(lambda: words("P-1", drop) == ["open"])
        for label in ("bent", "bent"):  # the second says nothing new
            with transaction(engine) as connection:
                add(connection, [NewDecision("plug", "P-1", label, "anna")])
        committed(engine, now_record(part="LAST"))
        until(lambda: words("LAST", drop) == ["ok"])
    told = [one for one in dropped(drop) if one["part"] == "P-1"]
    assert [(one["result"], one["revision"]) for one in told] == [("open", 1), ("ng", 2)]


def test_pictures_where_the_receiver_wants_pictures(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop, level="picture")):
        committed(engine, *(now_record(part="P-1", camera=f"C{n}") for n in range(3)))
        until(lambda: len(dropped(drop)) == 3)
    assert {one["camera"] for one in dropped(drop)} == {"C0", "C1", "C2"}


def test_two_dispatchers_tell_it_once(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop, most=3)), dispatching(engine, a_drop(drop, most=3)):
        parts = a_lot(engine, 40)
        until(lambda: len(dropped(drop)) == 40)
    assert [one["part"] for one in dropped(drop)] == parts


def test_the_standby_goes_on_where_the_first_one_ended(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop)) as standby:
        with dispatching(engine, a_drop(drop)):
            until(lambda: shown(engine)["state"] == "told")
        parts = a_lot(engine, 10)
        until(lambda: len(dropped(drop)) == 10)
        assert standby is not None
    assert [one["part"] for one in dropped(drop)] == parts


def test_a_paused_receiver_is_told_nothing_until_it_is_resumed(engine: Engine, drop: Path) -> None:
    def pause(by: str | None) -> None:
        with transaction(engine) as connection:
            assert cursors.pause(connection, "L1", "files", by)

    with dispatching(engine, a_drop(drop)):
        a_lot(engine, 3, "A")
        until(lambda: len(dropped(drop)) == 3)
        pause("anna")
        until(lambda: shown(engine)["state"] == "paused by anna")
        _wait_for_a_look()
        a_lot(engine, 3, "B")
        _wait_for_a_look()
        assert len(dropped(drop)) == 3
        assert shown(engine)["backlog"] == 3
        pause(None)
        until(lambda: len(dropped(drop)) == 6)


def _wait_for_a_look() -> None:
    time.sleep(1.3)  # it looks at its row every second


def test_what_is_replayed_has_the_same_ids(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop, most=1)):
        a_lot(engine, 10)
        until(lambda: len(dropped(drop)) == 10)
        first = dropped(drop)
        for path in drop.iterdir():
            path.unlink()
        with transaction(engine) as connection:
            assert cursors.replay(connection, "L1", "files", 4)
        until(lambda: len(dropped(drop)) == 6)
    assert dropped(drop) == first[4:]


def test_what_was_purged_is_passed_over_and_said(
    sqlite_url: str, drop: Path, caplog: pytest.LogCaptureFixture
) -> None:
    from db.outbox.purge import purge_outbox

    engine = _engine(sqlite_url)
    registered(engine, "L1", "files")
    a_lot(engine, 7, "A")
    now = datetime.now(UTC) + timedelta(seconds=1)
    with transaction(engine) as connection:
        assert purge_outbox(connection, now, now, 500) == 1
    last = a_lot(engine, 7, "B")
    with dispatching(engine, a_drop(drop)):
        until(lambda: len(dropped(drop)) == 7)
    assert [one["part"] for one in dropped(drop)] == last
    assert "7 results were purged" in caplog.text


def test_figures_of_a_receiver(engine: Engine, drop: Path) -> None:
    with dispatching(engine, a_drop(drop)):
        a_lot(engine, 10)
        until(lambda: shown(engine)["gate_p99_ms"] is not None)
    row = shown(engine)
    assert 10 <= float(row["gate_p50_ms"]) <= float(row["gate_p99_ms"])
    assert row["late_share"] == 0
    assert row["backlog"] == 0


def test_a_dispatcher_whose_process_died_is_not_waited_for(engine: Engine, drop: Path) -> None:
    registered(engine, "L1", "files")
    host = socket.gethostname()[:64]
    pid = _dead_pid()
    with transaction(engine) as connection:
        assert cursors.take(connection, "L1", "files", f"{host}:{pid}:x") is not None
    a_lot(engine, 1)
    with dispatching(engine, a_drop(drop)):
        until(lambda: len(dropped(drop)) == 1, cursors.LEASE.total_seconds() / 2)


def _dead_pid() -> int:
    pid = os.fork()
    if pid == 0:
        os._exit(0)
    os.waitpid(pid, 0)
    return pid


def test_told_parts_are_purged_with_the_outbox(engine: Engine, drop: Path) -> None:
    from db.outbox.purge import purge_told

    with dispatching(engine, a_drop(drop)):
        a_lot(engine, 5)
        until(lambda: len(dropped(drop)) == 5)
    later = datetime.now(UTC) + timedelta(seconds=5)
    with transaction(engine) as connection:
        assert purge_told(connection, later, 3) == 3
        assert purge_told(connection, later, 3) == 2
    with reading(engine) as connection:
        assert facts.told(connection, "L1", "files", [("cable", "P0000")]) == {}


def test_sessions_that_the_server_ends_are_opened_again(
    postgresql_url: str, drop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "IDLE_S", 60.0)  # nobody looks by himself
    engine = _engine(postgresql_url)
    others = text(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    with dispatching(engine, a_drop(drop)):
        parts = a_lot(engine, 5, "A")
        until(lambda: len(dropped(drop)) == 5)
        with reading(engine) as connection:
            connection.execute(others)
        parts += a_lot(engine, 5, "B")
        until(lambda: {one["part"] for one in dropped(drop)} == set(parts))
        parts += a_lot(engine, 1, "C")
        until(lambda: parts[-1] in {one["part"] for one in dropped(drop)}, 30)
    assert list(dict.fromkeys(one["part"] for one in dropped(drop))) == parts
