"""From a picture's file to its row: what is damaged, too early, too dark, or too large at once."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path, PurePath, PureWindowsPath
from threading import Thread
from typing import cast
from uuid import uuid4
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import redis
import torch
from PIL import Image
from sqlalchemy import Engine

from db import products
from db.inspections.records import InspectionRecord
from db.session import engine_for
from linewatch.products import parse_product
from linewatch.settings import Settings
from linewatch.settings.path_map import PathMap
from model_store.store import ModelStore
from producer.contract import ImageRef, Reason, Verdict
from producer.contract.message import Envelope
from quality.drift.optics import optics_of
from tests.support.committed import committed
from tests.support.pictures import encoded, texture
from vision import extractor as module
from vision.decode import Decoded
from vision.extractor import FeatureExtractor
from vision.memory import MEGABYTE
from vision.pictures import Pictures
from workers.pipeline.batch_queue import BatchQueue
from workers.pipeline.batcher import MicroBatcher
from workers.pipeline.committer import Committer
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.pipeline.judge import Judge
from workers.pipeline.pipeline import Pipeline
from workers.pipeline.reader import PictureReader
from workers.pipeline.receipts import ReceiptWriter
from workers.pipeline.reply import DrainingError
from workers.serving.residency import Residency
from workers.serving.spaces import Spaces

PICTURE = Image.fromarray(texture(512, 400))
LIMIT_MB = 8


@pytest.fixture(scope="module")
def extractor(tmp_path_factory: pytest.TempPathFactory) -> FeatureExtractor:
    folder = tmp_path_factory.mktemp("weights")
    return FeatureExtractor.from_settings(
        Settings(data_dir=folder, device="cpu", decode_memory_mb=LIMIT_MB)
    )


@pytest.fixture
def engine(settings: Settings) -> Engine:
    return engine_for(settings.sql_url)


@pytest.fixture
def reader(engine: Engine, tmp_path: Path, extractor: FeatureExtractor) -> PictureReader:
    classes = [{"code": "good", "good": True}, {"code": "bent"}]
    spec = {"product": "cable", "classes": classes, "cameras": {"mono12": {"bits": 12}}}
    committed(engine, products.register, parse_product(spec, "t"))
    residency = Residency(
        engine,
        ModelStore(str(tmp_path / "models")),
        spaces=Spaces(engine, extractor),
        poll_s=60,
    )
    return PictureReader(residency, Pictures((tmp_path,), 10_000_000))


def request(path: PurePath, camera: str = "C1") -> InspectionRequest:
    now = datetime.now(UTC)
    image = ImageRef(id=uuid4(), uri=str(path), camera=camera, captured_at=now)
    return InspectionRequest(image, Envelope(product="cable", line="L1", enqueued_at=now), "w1")


@pytest.fixture
def pipeline(
    engine: Engine, redis_url: str, reader: PictureReader, extractor: FeatureExtractor
) -> Iterator[Pipeline]:
    receipts = ReceiptWriter(redis.Redis.from_url(redis_url))
    batches = BatchQueue[InspectionRequest](MicroBatcher(8, 0.01))
    committer = Committer(
        engine, receipts, timezone=ZoneInfo("UTC"), depth=64, on_busy=batches.downstream
    )
    residency = reader._residency
    made = Pipeline(
        reader=reader,
        judge=Judge(residency, feature_sample_rate=0),
        committer=committer,
        batches=batches,
        max_batch=8,
        decode_threads=4,
    )
    made.start()
    yield made
    made.stop()


def test_all_decoders_together_hold_no_more_than_the_setting(
    pipeline: Pipeline,
    extractor: FeatureExtractor,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Five pictures fit at once; messages of many and single ones, from many threads, all end."""
    path = tmp_path / "part.png"
    path.write_bytes(encoded(PICTURE, "PNG"))
    held: list[int] = []
    decode = module.decode_pixels

    def watched(*args: object, **kwargs: object) -> Decoded:
        held.append(extractor._family.memory.held)
        time.sleep(0.005)  # or four threads would seldom meet
        return decode(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "decode_pixels", watched)
    single = [[request(path)] for _ in range(12)]
    many = [[request(path) for _ in range(6)] for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        replies = list(threads.map(pipeline.inspect, [*single, *many]))
    assert all(reply.wait(30) for reply in replies)
    assert [reply.failures for reply in replies] == [{}] * 16
    assert len(held) == 36
    need = 512 * 400 * 8
    assert max(held) <= LIMIT_MB * MEGABYTE
    assert max(held) >= 2 * need
    assert extractor._family.memory.held == 0


def test_light_and_focus_of_a_judged_picture_go_with_its_record(
    reader: PictureReader, tmp_path: Path
) -> None:
    path = tmp_path / "part.png"
    path.write_bytes(encoded(PICTURE, "PNG"))
    asked = request(path)
    found = reader.read(asked)
    assert isinstance(found, PreparedPicture)
    asked.picture = found
    (row,) = Judge(reader._residency, feature_sample_rate=0).judge([asked])
    assert row.optics == optics_of(found.pixels.numpy())
    assert row.optics.light > 5


def test_a_picture_that_needs_more_than_all_of_it_is_refused(
    reader: PictureReader, tmp_path: Path
) -> None:
    path = tmp_path / "large.png"
    path.write_bytes(encoded(Image.new("RGB", (1200, 1200)), "PNG"))
    found = reader.read(request(path))
    assert isinstance(found, InspectionRecord)
    assert found.reason is Reason.TOO_LARGE
    assert "LINEWATCH_DECODE_MEMORY_MB is 8" in (found.detail or "")


def _written_slowly(path: Path, data: bytes, begin: Callable[[Path, bytes], None]) -> Thread:
    begin(path, data)

    def rest() -> None:
        with path.open("r+b") as file:
            for at in range(0, len(data), len(data) // 5 + 1):
                file.seek(at)
                file.write(data[at : at + len(data) // 5 + 1])
                file.flush()
                os.fsync(file.fileno())
                time.sleep(0.1)

    writer = Thread(target=rest, daemon=True)
    writer.start()
    return writer


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("begin", ["growing", "preallocated"])
def test_a_file_that_is_still_being_written_is_read_again(
    pipeline: Pipeline, tmp_path: Path, kind: str, begin: str
) -> None:
    path = tmp_path / "part"
    data = encoded(PICTURE, kind)
    first = {
        "growing": lambda p, d: p.write_bytes(d[: len(d) // 5]),
        "preallocated": lambda p, d: p.write_bytes(bytes(len(d))),
    }[begin]
    writer = _written_slowly(path, data, first)
    reply = pipeline.inspect([request(path)])
    assert reply.wait(10)
    writer.join(10)
    (outcome,) = reply.outcomes
    assert (outcome.verdict, outcome.reason) == (Verdict.REVIEW, Reason.NO_MODEL)


def test_a_cut_file_that_nobody_writes_is_rejected_and_holds_up_nobody(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    cut = encoded(PICTURE, "JPEG")[:5000]
    fresh, old, whole = tmp_path / "fresh.jpg", tmp_path / "old.jpg", tmp_path / "whole.jpg"
    old.write_bytes(cut)
    os.utime(old, (time.time() - 60,) * 2)
    whole.write_bytes(encoded(PICTURE, "JPEG"))
    rejected = pipeline._decoder._reader.read(request(old))
    assert isinstance(rejected, InspectionRecord)
    assert not pipeline._decoder._reader.may_be_unfinished(request(old), rejected)
    fresh.write_bytes(cut)
    began = time.monotonic()
    unfinished = pipeline.inspect([request(fresh) for _ in range(16)])
    assert pipeline.inspect([request(whole)]).wait(5)
    assert not unfinished.wait(0)  # it waited for none of the sixteen
    assert unfinished.wait(5)
    assert {outcome.reason for outcome in unfinished.outcomes} == {Reason.CORRUPT}
    assert time.monotonic() - began > 0.9


def test_a_pipeline_that_stops_gives_back_what_it_would_read_again(
    pipeline: Pipeline, tmp_path: Path
) -> None:
    path = tmp_path / "part.jpg"
    path.write_bytes(encoded(PICTURE, "JPEG")[:5000])
    reply = pipeline.inspect([request(path)])
    time.sleep(0.1)
    began = time.monotonic()
    assert pipeline.stop() == []
    assert time.monotonic() - began < 3
    assert [type(error) for error in reply.failures.values()] == [DrainingError]


def test_a_flawed_picture_goes_to_a_person_with_the_decoders_words(
    reader: PictureReader, extractor: FeatureExtractor, tmp_path: Path
) -> None:
    path = tmp_path / "part.jpg"
    data = encoded(PICTURE, "JPEG")
    path.write_bytes(data[:-2] + b"padding" + data[-2:])
    found = reader.read(request(path))
    assert isinstance(found, PreparedPicture)
    assert "extraneous" in (found.flaw or "")


def test_bits_are_a_cameras_and_a_dark_one_is_spoken_of_once(
    reader: PictureReader, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    grey = np.asarray(PICTURE.convert("L"))
    path = tmp_path / "mono12.tif"
    path.write_bytes(
        encoded(Image.fromarray((grey.astype(np.uint32) * 4095 // 255).astype(np.uint16)), "TIFF")
    )
    plain = tmp_path / "mono8.tif"
    plain.write_bytes(encoded(Image.fromarray(grey), "TIFF"))
    with caplog.at_level(logging.WARNING, "workers.pipeline.reader"):
        found = [
            reader.read(request(file, camera))
            for file, camera in ((path, "mono12"), (plain, "C1"), (path, "C1"), (path, "C1"))
        ]
    pixels = [cast(PreparedPicture, one).pixels.float() for one in found]
    assert torch.abs(pixels[0] - pixels[1]).max() <= 1
    assert pixels[2].max() < 16
    assert len(caplog.records) == 1
    assert "camera C1" in caplog.text
    assert "bits:" in caplog.text


def test_the_row_of_a_windows_pcs_picture_names_the_file_as_it_lies_here(
    reader: PictureReader, tmp_path: Path
) -> None:
    (tmp_path / "part.txt").write_bytes(b"no picture")
    paths = PathMap.parse(f"C:/pics={tmp_path}")
    mapped = PictureReader(reader._residency, Pictures((tmp_path,), 1000, paths))
    row = mapped.read(request(PureWindowsPath("C:/pics/part.txt")))
    assert isinstance(row, InspectionRecord)
    assert (row.reason, row.image_uri) == (Reason.NOT_AN_IMAGE, str(tmp_path / "part.txt"))
