"""Setting a product up: its file, its pictures, its labels, its training."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC
from pathlib import Path
from uuid import UUID, uuid4

import pytest
import yaml
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db import audit, products
from db.inspections import set_up
from db.inspections.inspections import commit_inspections
from db.labels import labels
from db.session import transaction
from linewatch.products import load_product
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.console import client_of, console_app
from tests.support.interleaving import meanwhile
from tests.support.pictures import encoded, texture
from tests.support.records import a_record
from workers.app import make_app

NASTY = "<script>alert(1)</script>"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "products"
    made.mkdir()
    return made


@pytest.fixture
def app(
    engine: Engine, folder: Path, tmp_path: Path, make_settings: Callable[..., Settings]
) -> FastAPI:
    roots = tmp_path / "pictures"
    roots.mkdir()
    make_settings(
        products_dir=folder,
        image_roots=[roots],
        upload_dir=roots / "up",
        redis_url="redis://127.0.0.1:1/0",
    )
    return console_app(engine)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    client = client_of(app, "engineer")
    made = client.post("/products", data={"product": "plug", "name": "Plug"})
    assert made.headers["location"] == "/products/plug"
    return client


def form(client: TestClient, **more: object) -> dict[str, object]:
    seen = client.get("/api/v1/setup/plug").json()["revision"]
    classes = {"code": ["good", "bent"], "prompts": ["a plug\n\n a good plug ", "a bent plug"]}
    return {"seen": seen, **classes, "good": "good", "name": "Plug", **more}


def test_the_form_writes_the_file_and_the_file_the_form(
    client: TestClient, engine: Engine, folder: Path
) -> None:
    said = form(
        client,
        views="cam-1, cam-2",
        escape_target="0,01",
        audit_share="0.05",
        region_x="0.1",
        region_y="0.2",
        region_width="0.5",
        region_height="0.6",
    )
    assert client.post("/products/plug", data=said).status_code == 303
    spec = load_product(folder / "plug.yaml")
    assert spec == products.get(engine, "plug")
    assert [(one.code, one.good) for one in spec.classes] == [("good", True), ("bent", False)]
    assert spec.classes[0].prompts == ("a plug", "a good plug")
    assert (spec.escape_target, spec.audit_share, spec.views) == (0.01, 0.05, ("cam-1", "cam-2"))
    shown = client.get("/api/v1/setup/plug").json()
    assert shown["region"] == {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.6}
    assert shown["yaml"] == (folder / "plug.yaml").read_text()
    detail = audit.newest(engine, 1)[0].detail
    assert "cam-1" in detail["new"]
    assert "cam-1" not in detail["old"]

    text = yaml.safe_load(shown["yaml"]) | {"symmetry": ["flip"], "roi": [[0, 0], [1, 0], [1, 1]]}
    said = {"seen": shown["revision"], "text": yaml.safe_dump(text)}
    assert client.post("/products/plug/file", data=said).status_code == 303
    assert client.post("/products/plug", data=form(client)).status_code == 303
    kept = load_product(folder / "plug.yaml")
    assert kept.symmetry == ("flip",), "what the form does not ask for stays"
    assert kept.roi == ((0, 0), (1, 0), (1, 1))


def test_two_engineers_do_not_overwrite_each_other(client: TestClient) -> None:
    mine = form(client, name="Mine")
    assert client.post("/products/plug", data=form(client, name="Theirs")).status_code == 303
    answer = client.post("/products/plug", data=mine)
    assert (answer.status_code, "somebody else" in answer.text) == (409, True)
    assert client.get("/api/v1/setup/plug").json()["name"] == "Theirs"


def test_one_of_two_who_save_at_once_is_told(client: TestClient, engine: Engine) -> None:
    """Between the look at the product and the change of it somebody else changes it."""
    mine = form(client, name="Mine")
    file = {"seen": mine["seen"], "text": client.get("/api/v1/setup/plug").json()["yaml"]}
    for path, said in (("/products/plug", mine), ("/products/plug/file", file)):
        told: list[int] = []
        spec = products.require(engine, "plug").model_copy(update={"name": f"Theirs {path}"})
        saves = meanwhile(
            engine,
            "audit",
            lambda path=path, said=said, told=told: told.append(
                client.post(path, data=said).status_code
            ),
            waits=True,
        )
        with saves, transaction(engine) as connection:
            products.register(connection, spec, by="them")
        assert told == [409]
        assert products.require(engine, "plug").name == f"Theirs {path}"
        mine = form(client, name="Mine")
        file["seen"] = mine["seen"]


def test_one_of_two_who_begin_a_product_at_once_is_told(client: TestClient, engine: Engine) -> None:
    told: list[int] = []
    spec = products.require(engine, "plug").model_copy(update={"product": "cord", "name": "Cord"})
    begins = meanwhile(
        engine,
        "audit",
        lambda: told.append(client.post("/products", data={"product": "cord"}).status_code),
        waits=True,
    )
    with begins, transaction(engine) as connection:
        products.register(connection, spec, by="them")
    assert (told, products.require(engine, "cord").name) == ([400], "Cord")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"escape_target": "much"}, "is no number"),
        ({"escape_target": "2"}, "escape_target"),
        ({"code": ["good", "good"], "prompts": ["", ""]}, "listed twice"),
        ({"code": ["good", NASTY], "prompts": ["", ""]}, "classes"),
        ({"region_x": "0.8", "region_y": "0", "region_width": "0.5", "region_height": "1"}, "roi"),
        ({"region_x": "0.8"}, "roi"),
    ],
)
def test_a_wrong_form_is_one_sentence_and_changes_nothing(
    client: TestClient, folder: Path, more: dict[str, object], said: str
) -> None:
    before = (folder / "plug.yaml").read_text()
    answer = client.post("/products/plug", data=form(client, **more))
    assert (answer.status_code, said in answer.text) == (400, True), answer.text
    assert NASTY not in answer.text
    assert (folder / "plug.yaml").read_text() == before


def test_a_file_of_another_product_or_no_file_is_refused(client: TestClient) -> None:
    seen = client.get("/api/v1/setup/plug").json()["revision"]
    for text in ("{", "- 1", "product: other\nclasses: [{code: a}, {code: b}]"):
        answer = client.post("/products/plug/file", data={"seen": seen, "text": text})
        assert answer.status_code == 400, text
    assert "open that one" in client.post("/products", data={"product": "plug"}).text
    assert client.get("/products/none").status_code == 404


def test_pictures_are_handed_over_and_labelled_when_training_is_asked_for(
    app: FastAPI, client: TestClient, engine: Engine, redis_url: str
) -> None:
    ids = []
    for seed in range(2):
        data = encoded(Image.fromarray(texture(64, 64, seed)), "PNG")
        answer = client.post("/products/plug/pictures?shows=good", content=data)
        ids.append(UUID(answer.json()["id"]))
    assert client.post("/products/plug/pictures?shows=x", content=data).status_code == 400
    assert client.post("/products/plug/pictures?shows=good", content=b"no").status_code == 415
    shown = client.get("/api/v1/setup/plug").json()
    assert (shown["waiting"], shown["good"]) == (2, 0)
    app.state.intake.close()
    assert "no picture is labelled" in client.post("/products/plug/train").text

    same = {"product": "plug", "line": set_up.LINE, "camera": set_up.CAMERA, "part": None}
    lot = set_up.lot_of("good")
    seen = [a_record(id=id_, lot=lot, verdict=Verdict.REVIEW, **same) for id_ in ids]
    lost = a_record(id=uuid4(), lot=lot, verdict=Verdict.REJECTED, **same)
    commit_inspections(engine, [*seen, lost], UTC)
    away = client.post("/products/plug/train")
    assert (away.status_code, "labels are kept" in away.text) == (503, True)
    assert labels.latest(engine, "plug") == dict.fromkeys(ids, "good")

    settings = app.state.site.settings.model_copy(update={"redis_url": redis_url})
    object.__setattr__(app.state.site, "settings", settings)
    assert client.post("/products/plug/train").status_code == 303
    with make_app(settings).connection_for_read() as connection:
        message = connection.SimpleQueue("train").get(timeout=5)
    assert message.payload[0] == ["plug", "console"]
    shown = client.get("/api/v1/setup/plug").json()
    assert (shown["good"], shown["unusable"]) == (2, 1)
    assert shown["classes"][0]["labelled"] == 2
    assert client.get("/api/v1/lines").json()["lines"] == [], "no line of the plant"


def test_names_stay_text_and_a_part_of_the_page_can_be_asked_for(client: TestClient) -> None:
    client.post("/products/plug", data=form(client, name=NASTY))
    page = client.get("/products/plug").text
    assert NASTY not in page
    assert "&lt;script&gt;" in page
    part = client.get("/products/plug?block=learning").text
    assert re.match(r"\s*<section", part)
    assert "<html" not in part
    assert NASTY not in client.get("/products").text
