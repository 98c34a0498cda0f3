"""A picture handed over through the API: kept, queued, judged, and told about."""

from __future__ import annotations

import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, timedelta
from pathlib import Path
from struct import pack
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import Engine
from starlette.testclient import TestClient

from console.inspections.intake import Intake
from db import products
from db.inspections.inspections import commit_inspections
from db.people import keys
from db.session import engine_for, transaction
from linewatch.products import parse_product
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.console import client_of, console_app
from tests.support.judge import Judge
from tests.support.pictures import encoded, texture
from tests.support.records import NOON, a_record
from tests.support.waiting import until

WHERE = {"product": "cable", "line": "L1", "camera": "C1"}
JPEG = {"content-type": "image/jpeg"}
URL = "/api/v1/inspections"


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    engine = engine_for(sqlite_url)
    classes = [{"code": "good", "good": True}, {"code": "bent_wire"}]
    with transaction(engine) as connection:
        products.register(
            connection, parse_product({"product": "cable", "classes": classes}, source="test")
        )
    return engine


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "pictures" / "uploads"


@pytest.fixture
def app(engine: Engine, store: Path, make_settings: Callable[..., Settings]) -> Iterator[FastAPI]:
    """Without a Redis: nothing listens there."""
    make_settings(
        image_roots=[store.parent],
        upload_dir=store,
        redis_url="redis://127.0.0.1:1/0",
        max_image_bytes=200_000,
    )
    store.parent.mkdir()
    app = console_app(engine)
    yield app
    app.state.intake.close()


def jpeg(seed: int = 0) -> bytes:
    return encoded(Image.fromarray(texture(120, 90, seed)), "JPEG")


def stored(store: Path) -> list[Path]:
    return [path for path in store.rglob("*") if path.is_file()]


def test_a_picture_is_kept_queued_judged_and_told_about(
    engine: Engine, store: Path, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    make_settings(image_roots=[store.parent], upload_dir=store, redis_url=redis_url)
    store.parent.mkdir()
    app = console_app(engine)
    client = client_of(app, "inspector")
    data = jpeg()
    said = {**WHERE, "part": "<b>P-1</b>", "lot": "LOT-7", "captured_at": NOON.isoformat()}
    try:
        answer = client.post(
            URL, params={**said, "views": ["C1", "C2"]}, content=data, headers=JPEG
        )
        id_ = UUID(answer.json()["id"])
        assert (answer.status_code, answer.headers["location"]) == (202, f"{URL}/{id_}")
        assert client.get(f"{URL}/{id_}").json()["state"] == "waiting"
        (file,) = stored(store)
        assert (file.read_bytes(), file.stem) == (data, hashlib.sha256(data).hexdigest())
        with Judge(redis_url) as judge:
            until(lambda: not app.state.intake.waits(id_))
            (message,) = judge.messages
        (image,) = message.images
        assert (message.envelope.product, message.envelope.line) == ("cable", "L1")
        assert (image.id, image.camera, image.part) == (id_, "C1", "<b>P-1</b>")
        assert (image.views, image.captured_at) == (("C1", "C2"), NOON)
    finally:
        app.state.intake.close()
    record = a_record(id=id_, image_uri=image.uri, verdict=Verdict.DEFECT, defect_class="bent_wire")
    commit_inspections(engine, [record], UTC)
    told = client.get(f"{URL}/{id_}").json()
    assert (told["state"], told["verdict"], told["defect_class"]) == ("done", "defect", "bent_wire")


def test_a_form_does_as_well_and_the_same_bytes_are_one_file(app: FastAPI, store: Path) -> None:
    client = client_of(app, "inspector")
    file = {"picture": ("<script>.jpg", io.BytesIO(jpeg()), "image/jpeg")}
    first = client.post(URL, data={**WHERE, "part": "P-1"}, files=file)
    file = {"picture": ("other.jpg", io.BytesIO(jpeg()), "image/jpeg")}
    second = client.post(URL, data={**WHERE, "part": "P-2"}, files=file)
    assert (first.status_code, second.status_code) == (202, 202), first.text
    assert first.json()["id"] != second.json()["id"]
    assert len(stored(store)) == 1


def test_nothing_is_lost_while_redis_is_away_and_over_a_restart(
    app: FastAPI, engine: Engine, redis_url: str, make_settings: Callable[..., Settings]
) -> None:
    settings = app.state.site.settings
    client = client_of(app, "inspector")
    id_ = UUID(client.post(URL, params=WHERE, content=jpeg(), headers=JPEG).json()["id"])
    assert client.get(f"{URL}/{id_}").json()["state"] == "waiting"
    app.state.intake.close()

    later = Intake(settings.model_copy(update={"redis_url": redis_url}))
    try:
        with Judge(redis_url) as judge:
            later.resume()
            until(lambda: judge.pictures == [str(id_)])
    finally:
        later.close()


def bomb() -> bytes:
    """A PNG of a few bytes that promises 30,000 times 30,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    header = pack(">IIBBBBB", 30_000, 30_000, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 1000)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "more", "status", "said"),
    [
        (b"x" * 200_001, {}, 413, "200000 bytes"),
        (bomb(), {}, 413, "pixels"),
        (b"<html>no picture", {}, 415, "picture"),
        (jpeg()[:500], {}, 422, "picture"),
        (b"", {}, 422, "picture"),
        (jpeg(), {"sha256": "0" * 64}, 422, "SHA-256"),
        (jpeg(), {"product": "plug"}, 422, "no product"),
        (jpeg(), {"line": "\x07"}, 422, "line"),
        (jpeg(), {"colour": "red"}, 422, "colour"),
        (jpeg(), {"captured_at": "2026-03-02T12:00:00"}, 422, "captured_at"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_a_sentence_and_leaves_nothing(
    app: FastAPI, store: Path, data: bytes, more: dict[str, str], status: int, said: str
) -> None:
    client = client_of(app, "inspector")
    answer = client.post(URL, params={**WHERE, **more}, content=data, headers=JPEG)
    assert (answer.status_code, said in answer.json()["detail"]) == (status, True), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert stored(store) == []


def test_no_more_is_read_than_may_be(app: FastAPI) -> None:
    client = client_of(app, "inspector")
    pieces = (b"x" * 65_536 for _ in range(10))  # so there is no content-length
    answer = client.post(URL, params=WHERE, content=pieces, headers=JPEG)
    assert (answer.status_code, "see LINEWATCH_MAX" in answer.text) == (413, True), "as it came"
    file = {"picture": ("a.jpg", io.BytesIO(b"x" * 300_000), "image/jpeg")}
    assert client.post(URL, data=WHERE, files=file).status_code == 413


def test_what_is_no_picture_at_all_is_said(app: FastAPI) -> None:
    client = client_of(app, "inspector")
    assert client.post(URL, params=WHERE, json={}).status_code == 415
    assert "no file called" in client.post(URL, data=WHERE, files={"x": b"y"}).text
    assert client_of(app, "viewer").post(URL, params=WHERE, content=jpeg()).status_code == 403


def test_without_a_folder_for_uploads_that_is_said(
    engine: Engine, make_settings: Callable[..., Settings]
) -> None:
    make_settings()
    client = client_of(console_app(engine), "inspector")
    answer = client.post(URL, params=WHERE, content=jpeg(), headers=JPEG)
    assert (answer.status_code, "LINEWATCH_UPLOAD_DIR" in answer.text) == (503, True)


def test_a_cameras_key_speaks_for_its_camera_alone(app: FastAPI, engine: Engine) -> None:
    with transaction(engine) as connection:
        day = timedelta(days=1)
        scope = [("L1", "C1")]
        key = keys.make(connection, "cam", "inspector", lasts=day, by="test", scope=scope)
    client = TestClient(app, headers={"authorization": f"Bearer {key}"})
    own = client.post(URL, params=WHERE, content=jpeg(), headers=JPEG)
    other = client.post(URL, params={**WHERE, "camera": "C2"}, content=jpeg(), headers=JPEG)
    assert (own.status_code, other.status_code) == (202, 403)
    records = [a_record(id=uuid4(), camera=camera) for camera in ("C1", "C2")]
    commit_inspections(engine, records, UTC)
    assert client.get(f"{URL}/{records[0].id}").status_code == 200
    assert client.get(f"{URL}/{records[1].id}").status_code == 404
    assert client.get(URL).status_code == 403


@pytest.mark.parametrize(
    "which", [{}, {"line": "L1", "camera": "C1"}, {"product": "cable"}], ids=str
)
def test_pages_follow_each_other_without_gap_or_repeat(
    app: FastAPI, engine: Engine, which: dict[str, str]
) -> None:
    start = UUID("01958000-0000-7000-8000-000000000000").int
    records = [
        a_record(id=UUID(int=start + n), decided_at=NOON + timedelta(seconds=n // 3))
        for n in range(10)
    ]
    other = a_record(id=UUID(int=start + 50), line="L9", product="plug")
    commit_inspections(engine, [*records, *([other] if which else [])], UTC)
    client = client_of(app, "viewer")
    seen, after = [], None
    for _ in range(5):
        page = client.get(URL, params={**which, "limit": 3, **({"after": after} if after else {})})
        seen += [row["id"] for row in page.json()["inspections"]]
        after = page.json()["next"]
        if after is None:
            break
    assert seen == [str(record.id) for record in reversed(records)]
    assert client.get(URL, params={"after": "nonsense"}).status_code == 404
    assert client.get(URL, params={"line": "L1"}).status_code == 422
