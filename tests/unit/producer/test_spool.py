"""The spool's bounds, its policies, and what outlives a process."""

import json
import logging
import multiprocessing
import sqlite3
import threading
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from linewatch.errors import SpoolError, SpoolFullError
from producer.admission import Entry
from producer.contract import Receipt, Verdict
from producer.drain_lock import DrainLock
from producer.inbox import Inbox
from producer.limits import Limits
from producer.outbox import Outbox
from producer.spool import Spool
from producer.uuid7 import uuid7


def entry(**fields: object) -> Entry:
    id_ = str(uuid7())
    made = Entry(id_, "line-1", "cable", json.dumps({"id": id_, "uri": f"/{id_}.png"}))
    return replace(made, **fields)  # type: ignore[arg-type]


def receipt(id_: str) -> Receipt:
    return Receipt(id=id_, verdict=Verdict.PASS, decided_at=datetime.now(UTC))  # type: ignore[arg-type]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "spool" / "line-1@cam-2.db"


def held(spool: Spool) -> list[str]:
    return [row["id"] for row in spool.export() if row["state"] != "dropped"]


def test_pictures_and_producer_id_outlive_the_object(path: Path) -> None:
    first = Spool(path)
    entries = [entry() for _ in range(3)]
    first.add(entries[:1])
    first.add(entries[1:])
    first.close()
    again = Spool(path)
    assert held(again) == [e.id for e in entries]
    assert again.producer_id == first.producer_id
    assert Spool(path.with_name("other.db")).producer_id != first.producer_id


def test_a_burst_is_in_whole_or_not_at_all(path: Path) -> None:
    spool = Spool(path)
    twice = entry()
    with pytest.raises(SpoolError, match="cannot be written"):
        spool.add([entry(), twice, twice])
    assert spool.count() == 0


@pytest.mark.parametrize("burst", [1, 2])
def test_reject_raises_at_once_and_names_the_setting(path: Path, burst: int) -> None:
    spool = Spool(path, Limits(pictures=2, when_full="reject"))
    spool.add([entry(), entry()])
    with pytest.raises(SpoolFullError, match=r"line-1@cam-2\.db.*LINEWATCH_SPOOL_MAX_PICTURES"):
        spool.add([entry() for _ in range(burst)])
    assert spool.count() == 2


def test_bytes_and_age_are_bounds_too(path: Path) -> None:
    spool = Spool(path, Limits(bytes=500, when_full="reject"))
    spool.add([entry()])
    with pytest.raises(SpoolFullError, match="LINEWATCH_SPOOL_MAX_BYTES"):
        spool.add([entry(copy="x.png", copy_bytes=450)])
    old = Spool(path, Limits(age_s=0.05, when_full="reject"))
    time.sleep(0.1)
    with pytest.raises(SpoolFullError, match="LINEWATCH_SPOOL_MAX_AGE_S"):
        old.add([entry()])


def test_block_waits_for_room(path: Path) -> None:
    spool = Spool(path, Limits(pictures=1, block_s=10))
    first = entry()
    spool.add([first])
    clear = threading.Timer(0.2, lambda: Outbox(path).clear([receipt(first.id)]))
    clear.start()
    start = time.monotonic()
    spool.add([entry()])
    assert time.monotonic() - start >= 0.15
    assert spool.count() == 1


def test_block_gives_up_clearly(path: Path) -> None:
    spool = Spool(path, Limits(pictures=1, block_s=0.1))
    spool.add([entry()])
    with pytest.raises(SpoolFullError, match="linewatch doctor"):
        spool.add([entry()])


def test_drop_oldest_is_never_silent(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    spool = Spool(path, Limits(pictures=2, when_full="drop-oldest"))
    copy = spool.pictures_folder / "0.png"
    copy.parent.mkdir()
    copy.write_bytes(b"x")
    entries = [entry(copy="0.png", copy_bytes=1), entry(), entry(), entry()]
    with caplog.at_level(logging.WARNING):
        for each in entries:
            spool.add([each])
    assert held(spool) == [e.id for e in entries[2:]]
    assert [r["id"] for r in spool.export() if r["state"] == "dropped"] == [
        e.id for e in entries[:2]
    ]
    assert spool.status().dropped == 2
    assert sum("dropped its oldest picture" in r.message for r in caplog.records) == 2
    assert not copy.exists()


def test_what_fits_into_no_spool_displaces_nothing(path: Path) -> None:
    spool = Spool(path, Limits(pictures=2, when_full="drop-oldest"))
    spool.add([entry(), entry()])
    with pytest.raises(SpoolFullError):
        spool.add([entry(), entry(), entry()])
    assert spool.status().dropped == 0
    assert spool.count() == 2


def test_receipt_clears_picture_and_copy_once(path: Path) -> None:
    spool, outbox = Spool(path), Outbox(path)
    inbox = Inbox(spool)
    spool.pictures_folder.mkdir()
    copy = spool.pictures_folder / "a.png"
    copy.write_bytes(b"x")
    mine, other = entry(copy="a.png", copy_bytes=1), entry()
    spool.add([mine, other])
    assert outbox.clear([receipt(mine.id), receipt(str(uuid7()))]) == 1
    assert outbox.clear([receipt(mine.id)]) == 0
    assert held(spool) == [other.id]
    assert not copy.exists()
    assert [str(r.id) for r in inbox.new()] == [mine.id]
    assert inbox.new() == []
    assert spool.status().bytes == other.bytes


def test_overdue_pictures_are_queued_again_in_order(path: Path) -> None:
    spool, outbox = Spool(path), Outbox(path)
    spool.add([entry(), entry()])
    sent = outbox.queued(10)
    outbox.mark_sent(sent, receipt_timeout_s=0.05)
    assert outbox.queued(10) == []
    assert not outbox.has_due()
    spool.add([entry()])
    time.sleep(0.1)
    assert outbox.has_due()
    assert outbox.requeue_due(patience_s=60) == 0
    assert outbox.requeue_due() == 2
    assert [(p.seq, p.attempts) for p in outbox.queued(10)] == [(1, 1), (2, 1), (3, 0)]


def test_a_clock_set_back_does_not_delay_a_resend(path: Path) -> None:
    spool, outbox = Spool(path), Outbox(path)
    spool.add([entry()])
    outbox.mark_sent(outbox.queued(1), receipt_timeout_s=120)
    with sqlite3.connect(path) as db:
        db.execute("UPDATE pictures SET sent_at = sent_at + 3600, due_at = due_at + 3600")
    assert outbox.requeue_due() == 1


def test_orphaned_copies_are_swept_and_fresh_ones_kept(path: Path) -> None:
    import os

    spool, outbox = Spool(path), Outbox(path)
    spool.pictures_folder.mkdir()
    for name in ("orphan.png", "owned.png", "fresh.png"):
        (spool.pictures_folder / name).write_bytes(b"x")
        if name != "fresh.png":
            os.utime(spool.pictures_folder / name, (0, 0))
    spool.add([entry(copy="owned.png", copy_bytes=1)])
    outbox.sweep_copies()
    assert sorted(p.name for p in spool.pictures_folder.iterdir()) == ["fresh.png", "owned.png"]


def _add_many(path: Path, count: int) -> None:
    spool = Spool(path)
    for _ in range(count):
        spool.add([entry()])


def test_processes_share_a_spool(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_add_many, args=(path, 50)) for _ in range(3)]
    for writer in writers:  # all of them also race to create it
        writer.start()
    for writer in writers:
        writer.join(60)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    assert len(set(held(Spool(path)))) == 150
    assert Spool(path).count() == 150


def _hold(path: Path, ready: object, seconds: float) -> None:
    lock = DrainLock(path)
    assert lock.acquire()
    ready.set()  # type: ignore[attr-defined]
    time.sleep(seconds)


def test_drain_lock_is_free_when_its_process_is_killed(path: Path) -> None:
    path.parent.mkdir()
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    holder = context.Process(target=_hold, args=(path, ready, 60))
    holder.start()
    assert ready.wait(60)
    lock = DrainLock(path)
    assert not lock.acquire()
    holder.kill()
    holder.join(10)
    assert lock.acquire()
    assert not DrainLock(path).acquire()
    lock.release()
    assert DrainLock(path).acquire()


def test_what_is_no_spool_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"not a database, but long enough to be read as one" * 100)
    with pytest.raises(SpoolError, match=r"x\.db cannot be opened"):
        Spool(path)


def test_a_newer_spool_is_refused(path: Path) -> None:
    Spool(path).close()
    with sqlite3.connect(path) as db:
        db.execute("UPDATE meta SET value = '9' WHERE key = 'version'")
    with pytest.raises(SpoolError, match="version 9"):
        Spool(path)


def test_what_may_still_wait_in_the_queue_is_not_sent_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool.db")
    spool.add([entry()])
    outbox = Outbox(tmp_path / "spool.db")
    before = time.time()
    outbox.mark_sent(outbox.queued(1), receipt_timeout_s=0.01)
    time.sleep(0.05)
    assert outbox.requeue_due(sent_before=before) == 0
    assert outbox.requeue_due(sent_before=time.time()) == 1
