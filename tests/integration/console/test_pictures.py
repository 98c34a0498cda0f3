"""Pictures by id: authorised, cached, and never another file than the one that was judged."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from PIL import Image
from starlette.testclient import TestClient

from db.inspections.inspections import commit_inspections
from db.session import engine_for
from linewatch.settings import Settings
from tests.support.console import client_of, console_app
from tests.support.pictures import encoded, texture
from tests.support.records import a_record


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


@pytest.fixture
def client(sqlite_url: str, folder: Path, make_settings: Callable[..., Settings]) -> TestClient:
    make_settings(image_roots=[folder])
    return client_of(console_app(engine_for(sqlite_url)), "viewer")


def stored(client: TestClient, path: Path, data: bytes, *, file: bool = True) -> UUID:
    """An inspection of a picture."""
    if file:
        path.write_bytes(data)
    record = a_record(
        id=uuid4(), image_uri=str(path), image_sha256=hashlib.sha256(data).hexdigest()
    )
    engine = client.app.state.site.engine  # type: ignore[attr-defined]
    commit_inspections(engine, [record], UTC)
    return record.id


def jpeg(width: int = 800, height: int = 600) -> bytes:
    return encoded(Image.fromarray(texture(width, height)), "JPEG")


def test_a_picture_as_it_is_and_small(client: TestClient, folder: Path) -> None:
    data = jpeg()
    id_ = stored(client, folder / "a.jpg", data)
    whole, small = client.get(f"/pictures/{id_}"), client.get(f"/pictures/{id_}?size=320")
    assert (whole.content, whole.headers["content-type"]) == (data, "image/jpeg")
    assert Image.open(io.BytesIO(small.content)).size == (320, 240)
    assert small.headers["cache-control"] == "private, no-cache"
    again = client.get(
        f"/pictures/{id_}?size=320", headers={"if-none-match": small.headers["etag"]}
    )
    other = client.get(f"/pictures/{id_}", headers={"if-none-match": small.headers["etag"]})
    assert (again.status_code, again.content, other.status_code) == (304, b"", 200)
    assert client.get(f"/pictures/{id_}?size=5000").status_code == 422


def test_what_browsers_do_not_show_becomes_png(client: TestClient, folder: Path) -> None:
    grey = Image.fromarray(texture(64, 48)[:, :, 0].astype("uint16") * 257)
    id_ = stored(client, folder / "a.tif", encoded(grey, "TIFF"))
    answer = client.get(f"/pictures/{id_}")
    assert answer.headers["content-type"] == "image/png"
    assert Image.open(io.BytesIO(answer.content)).size == (64, 48)


@pytest.mark.parametrize(
    ("name", "file", "then", "said"),
    [
        ("a.jpg", False, b"", "The picture's file is gone."),
        ("a.jpg", True, jpeg(40, 30), "Another picture lies under this name now."),
        ("a.jpg", True, None, "The picture's file cannot be shown."),
        ("../out.jpg", True, b"", "The picture lies outside the folders of pictures."),
    ],
)
def test_a_picture_that_cannot_be_shown_is_a_drawing_that_says_why(
    client: TestClient, folder: Path, name: str, file: bool, then: bytes | None, said: str
) -> None:
    data = b"<svg onload=alert(1)>" if then is None else jpeg()
    id_ = stored(client, folder / name, data, file=file)
    if then:
        (folder / name).write_bytes(then)
    drawn, api = client.get(f"/pictures/{id_}?size=160"), client.get(f"/api/v1/pictures/{id_}")
    assert (drawn.status_code, drawn.headers["x-picture"]) == (200, "gone")
    assert (drawn.headers["content-type"], drawn.headers["cache-control"]) == (
        "image/svg+xml",
        "no-store",
    )
    assert said.replace("'", "&#x27;") in drawn.text
    assert (api.status_code, api.json()["detail"]) == (404, said)


def test_an_id_that_is_none(client: TestClient) -> None:
    assert client.get(f"/pictures/{uuid4()}").headers["x-picture"] == "gone"
    assert client.get("/pictures/etc").status_code == 422


def test_nobody_sees_pictures_without_signing_in(client: TestClient, folder: Path) -> None:
    id_ = stored(client, folder / "a.jpg", jpeg(40, 30))
    client.cookies.clear()
    assert client.get(f"/api/v1/pictures/{id_}").status_code == 401
    assert client.get(f"/pictures/{id_}").status_code == 303
