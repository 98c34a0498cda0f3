"""A picture's whole life, with real processes."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from uuid import UUID

import pytest

from db import dead_letters, deployments, labels, training
from db.rollup import discrepancies
from linewatch.plant import environment
from linewatch.services import python_command
from producer.contract import Reason, Verdict
from tests.acceptance.live import PATIENCE, Live, ids_of, message


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
    labels.add_labels(plant.engine, rows)
    return ids


def test_a_model_is_trained_from_labels_promoted_and_swapped_in(
    plant: Live, labelled: list[UUID]
) -> None:
    plant.worker("t", queues="train")
    from celery import Celery

    with Celery(broker=plant.settings.broker_url, set_as_current=False) as app:
        app.send_task("linewatch.retrain", args=["widget"], queue="train", ignore_result=True)
    plant.until(lambda: bool(training.runs(plant.engine, "widget")), 30, "training run")
    plant.until(
        lambda: training.runs(plant.engine, "widget")[0].state != "running", 60, "trained model"
    )
    run = training.runs(plant.engine, "widget")[0]
    assert (run.state, run.image_count, run.error) == ("succeeded", 20, None)
    assert run.model_version is not None
    metrics = training.run_metrics(plant.engine, run.model_version)
    assert metrics is not None
    assert [score.class_code for score in metrics.classes] == ["good", "scratch"]
    assert sum(cell.count for cell in metrics.confusion) == 20
    deployments.promote(plant.engine, "widget", run.model_version, by="tester", why="test")

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
