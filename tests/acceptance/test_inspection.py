"""A picture's whole life, with real processes."""

from __future__ import annotations

import hashlib
import os
import signal
from collections import Counter
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image

from db.alerts import open_alerts
from db.inspections import dead_letters
from db.inspections.inspections import by_part
from db.inspections.rollup import discrepancies
from db.labels import labels
from db.models import deployments, runs
from linewatch.plant import environment
from linewatch.services import python_command
from producer.camera import Camera
from producer.contract import Reason, Verdict
from tests.acceptance.live import PATIENCE, Live, ids_of, message
from tests.support.committed import committed
from tests.support.freezing import freeze


def test_submitted_pictures_are_judged_once_and_the_spool_forgets_them(shared_plant: Live) -> None:
    shared_plant.receipts.clear()
    with shared_plant.camera() as camera:
        ids = [camera.submit(shared_plant.picture(), part=f"P{n}", lot="L1") for n in range(40)]
        assert camera.wait(timeout=60 * PATIENCE)
    found = shared_plant.outcomes(ids)
    assert len(found) == 40
    assert {outcome.verdict for outcome in found.values()} == {Verdict.REVIEW}
    assert {outcome.reason for outcome in found.values()} == {Reason.NO_MODEL}
    assert Counter(receipt.id for receipt in shared_plant.receipts) == Counter(ids)
    assert discrepancies(shared_plant.engine, shared_plant.settings.timezone) == {}


def test_the_same_message_twice_leaves_one_row_and_two_receipts(shared_plant: Live) -> None:
    payload = message(shared_plant.picture(), shared_plant.picture(), producer="twice")
    shared_plant.enqueue(payload)
    shared_plant.wait_for(ids_of(payload))
    shared_plant.enqueue(payload)
    key = "linewatch:receipts:twice"
    shared_plant.until(lambda: shared_plant.redis.llen(key) == 4, 30, "four receipts")
    receipts = [shared_plant.redis.lindex(key, n) for n in range(4)]
    assert sorted(receipts[:2]) == sorted(receipts[2:])  # the second delivery says what is stored
    assert discrepancies(shared_plant.engine, shared_plant.settings.timezone) == {}


def test_what_cannot_be_judged_is_a_row_and_its_neighbours_are_judged(
    shared_plant: Live, tmp_path: Path
) -> None:
    good = shared_plant.picture()
    whole = good.read_bytes()
    broken = {
        "empty.png": b"",
        "truncated.png": whole[: len(whole) // 2],
        "text.png": b"this is not a picture",
    }
    for name, data in broken.items():
        (shared_plant.pictures / name).write_bytes(data)
    outside = tmp_path / "outside.png"
    outside.write_bytes(whole)
    (shared_plant.pictures / "link.png").symlink_to(outside)
    os.mkfifo(shared_plant.pictures / "fifo.png")
    cases = {
        good: None,
        shared_plant.pictures / "missing.png": Reason.MISSING,
        shared_plant.pictures / "empty.png": Reason.EMPTY,
        shared_plant.pictures / "truncated.png": Reason.CORRUPT,
        shared_plant.pictures / "text.png": Reason.NOT_AN_IMAGE,
        outside: Reason.OUTSIDE_ROOT,
        shared_plant.pictures / ".." / "outside.png": Reason.OUTSIDE_ROOT,
        shared_plant.pictures / "link.png": Reason.OUTSIDE_ROOT,
        shared_plant.pictures / "fifo.png": Reason.NOT_A_FILE,
        shared_plant.pictures: Reason.NOT_A_FILE,
    }
    payload = message(*cases)
    shared_plant.enqueue(payload)
    ids = ids_of(payload)
    found = shared_plant.wait_for(ids)
    for id_, (path, reason) in zip(ids, cases.items(), strict=True):
        expected = Reason.NO_MODEL if reason is None else reason
        assert found[id_].reason is expected, path
        assert found[id_].verdict is (Verdict.REVIEW if reason is None else Verdict.REJECTED), path


def test_an_unknown_product_and_refused_fields_are_rejected(shared_plant: Live) -> None:
    unknown = message(shared_plant.picture(), product="gadget")
    refused = message(shared_plant.picture(), shared_plant.picture())
    refused["images"][1]["camera"] = ""
    for payload in (unknown, refused):
        shared_plant.enqueue(payload)
    ids = ids_of(unknown) + ids_of(refused)
    found = shared_plant.wait_for(ids)
    assert [found[id_].reason for id_ in ids] == [
        Reason.UNKNOWN_PRODUCT,
        Reason.NO_MODEL,
        Reason.INVALID_FIELDS,
    ]


BITMAP = 320 * 240 * 3 + 54  # bytes, whatever is on it


def part_picture(path: Path, number: int, how: str) -> None:
    """A part's picture under the name that all parts share, as one camera or another writes it."""
    picture = Image.new("RGB", (320, 240), (90, 90, 90))
    picture.paste((10 * number, 200, 0), (150, 110, 170, 130))  # a flaw in the middle, no more
    if how == "renamed":
        beside = path.with_suffix(".tmp")
        picture.save(beside, "PNG")
        beside.replace(path)
        return
    picture.save(path, "BMP")
    assert path.stat().st_size == BITMAP
    if how == "in place, clock too coarse":
        os.utime(path, ns=(0, 1_700_000_000_000_000_000))


@pytest.mark.parametrize("how", ["renamed", "in place", "in place, clock too coarse"])
@pytest.mark.parametrize("seen", ["whole", "blocks", "nothing", "copy"])
def test_a_part_never_gets_the_verdict_of_another_picture_of_its_name(
    shared_plant: Live, how: str, seen: str
) -> None:
    """The queue is longer than the takt: when a message is read, the next part is in the picture.

    Cameras that do not say what they saw, as those of 0.1.0, are judged by what is there, as ever.
    """
    path = shared_plant.pictures / f"{uuid4().hex}.{'png' if how == 'renamed' else 'bmp'}"
    most = {"whole": 2**20, "blocks": 2**16, "nothing": 0, "copy": 2**20}[seen]
    settings = shared_plant.settings.model_copy(
        update={
            "seen_max_bytes": most,
            "spool_copy": seen == "copy",
            "spool_dir": shared_plant.pictures / f"spool-{uuid4().hex}",
        }
    )
    worker = next(s for s in shared_plant.group.services if s.name == "w").process
    digests = []
    freeze(worker.pid)
    try:
        with Camera("line-1", "cam-1", "widget", settings=settings) as camera:
            ids = []
            for number in range(3):
                part_picture(path, number, how)
                digests.append(hashlib.sha256(path.read_bytes()).hexdigest())
                ids.append(camera.submit(path, part=f"P{number}"))
            assert camera.wait_sent(30 * PATIENCE)
            worker.send_signal(signal.SIGCONT)
            assert camera.wait(60 * PATIENCE)
    finally:
        worker.send_signal(signal.SIGCONT)
    assert len(set(digests)) == 3
    rows = {row.id: row for n in range(3) for row in by_part(shared_plant.engine, f"P{n}")}
    judged = {"whole": [2], "blocks": [2], "nothing": [0, 1, 2], "copy": [0, 1, 2]}[seen]
    for number, id_ in enumerate(ids):
        row = rows[id_]
        if number in judged:
            assert row.reason is Reason.NO_MODEL
            theirs = number if seen != "nothing" else 2
            assert row.image_sha256 == digests[theirs]
        else:
            assert (row.verdict, row.reason) == (Verdict.REJECTED, Reason.CHANGED)
            assert row.seen is not None
            assert row.seen.get("every", 1) > 1 or row.seen["sha256"] == digests[number]
            assert row.image_sha256 is None
    assert discrepancies(shared_plant.engine, shared_plant.settings.timezone) == {}


def test_what_a_worker_does_not_know_goes_to_a_person_and_an_alert(shared_plant: Live) -> None:
    newer = message(shared_plant.picture(), shared_plant.picture(), line="line-9", producer="new")
    newer["images"][0]["prat"] = "SN1"
    every = {
        "pass_number": 2,
        "views": ["cam-1", "cam-2"],
        "work_order": "W-7",
        "purpose": "study",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "part": f"known-{uuid4()}",
    }
    newer["images"][1].update(every)
    newer["site"] = "Werk 2"
    shared_plant.enqueue(newer)
    shared_plant.wait_for(ids_of(newer))
    (row,) = by_part(shared_plant.engine, every["part"])
    assert row.detail is None
    assert {name: getattr(row, name) for name in every} == every
    assert row.site == "Werk 2"
    shared_plant.until(
        lambda: any(
            alert.kind == "unknown_fields"
            and alert.line == "line-9"
            and "'prat' (is 'part' meant?)" in alert.message
            for alert in open_alerts(shared_plant.engine)
        ),
        30,
        "alert",
    )


def test_a_message_that_cannot_be_read_is_kept_whole(shared_plant: Live) -> None:
    future = message(shared_plant.picture(), version=2, producer="p")
    shared_plant.enqueue(future)
    shared_plant.enqueue("not an object")
    found = shared_plant.wait_for(ids_of(future))
    assert {o.verdict for o in found.values()} == {Verdict.DEAD_LETTER}
    shared_plant.until(
        lambda: len(dead_letters.newest(shared_plant.engine)) == 2, 30, "two dead letters"
    )
    letters = dead_letters.newest(shared_plant.engine)
    assert {letter.reason for letter in letters} == {"unsupported_version", "unreadable_message"}
    assert any(str(ids_of(future)[0]) in letter.payload for letter in letters)
    shared_plant.until(lambda: shared_plant.held() == 0, 10, "acknowledged messages")


def test_plain_celery_works_as_well(plant: Live) -> None:
    command = python_command("celery", "-A", "workers", "worker", "-l", "INFO")
    plant.group.start("plain", command, environment(plant.settings))
    payload = message(plant.picture())
    plant.enqueue(payload)
    assert len(plant.wait_for(ids_of(payload), timeout_s=60)) == 1


@pytest.fixture
def labelled(plant: Live) -> list[UUID]:
    """Twenty judged pictures with labels."""
    plant.worker()
    with plant.camera() as camera:
        ids = [camera.submit(plant.picture()) for _ in range(20)]
        assert camera.wait(timeout=60 * PATIENCE)
    rows = [
        labels.NewLabel(inspection_id=id_, label=name, labelled_by="tester")
        for id_, name in zip(ids, ["good", "scratch"] * 10, strict=True)
    ]
    committed(plant.engine, labels.add_labels, rows)
    return ids


def test_a_model_is_trained_from_labels_promoted_and_swapped_in(
    plant: Live, labelled: list[UUID]
) -> None:
    plant.worker("t", queues="train")
    from celery import Celery

    with Celery(broker=plant.settings.broker_url, set_as_current=False) as app:
        app.send_task("linewatch.retrain", args=["widget"], queue="train", ignore_result=True)
    plant.until(lambda: bool(runs.runs(plant.engine, "widget")), 30, "training run")
    plant.until(
        lambda: runs.runs(plant.engine, "widget")[0].state != "running", 60, "trained model"
    )
    run = runs.runs(plant.engine, "widget")[0]
    assert (run.state, run.image_count, run.error) == ("succeeded", 20, None)
    assert run.model_version is not None
    metrics = runs.run_metrics(plant.engine, run.model_version)
    assert metrics is not None
    assert [score.class_code for score in metrics.classes] == ["good", "scratch"]
    assert sum(cell.count for cell in metrics.confusion) == 20
    committed(
        plant.engine, deployments.promote, "widget", run.model_version, by="tester", why="test"
    )

    def judged_by_it() -> bool:
        payload = message(plant.picture())
        plant.enqueue(payload)
        found = plant.wait_for(ids_of(payload))
        return {o.model_version for o in found.values()} == {run.model_version}

    plant.until(judged_by_it, 15, "verdict of the new model")


@pytest.mark.parametrize(
    "garbage",
    [
        b"not json",
        b"\xff\xfe",
        b"[1, 2]",
        b"{}",
        b'{"properties": {"delivery_tag": "t"}, "headers": {}, "body": ""}',
    ],
)
def test_garbage_in_the_queue_is_kept_and_stops_nobody(shared_plant: Live, garbage: bytes) -> None:
    before = len(dead_letters.newest(shared_plant.engine))
    shared_plant.redis.lpush("inspect", garbage)
    payload = message(shared_plant.picture())
    shared_plant.enqueue(payload)
    assert len(shared_plant.wait_for(ids_of(payload))) == 1
    assert len(dead_letters.newest(shared_plant.engine)) == before + 1
    shared_plant.group.check()


def test_an_unknown_task_is_kept(shared_plant: Live) -> None:
    before = len(dead_letters.newest(shared_plant.engine))
    shared_plant.enqueue({}, task="linewatch.no_such_task")
    shared_plant.until(
        lambda: len(dead_letters.newest(shared_plant.engine)) == before + 1, 30, "a dead letter"
    )
    assert "no_such_task" in dead_letters.newest(shared_plant.engine)[0].payload
