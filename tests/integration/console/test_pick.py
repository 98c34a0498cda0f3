"""Picking pictures that were inspected before, for a product that is set up."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from fastapi import FastAPI
from PIL import Image
from sqlalchemy import Engine
from starlette.testclient import TestClient

from console.pages.products.handing_over import handing_over_of
from db import audit, products
from db.inspections import set_up
from db.inspections.inspections import commit_inspections
from db.labels import labels
from db.session import engine_for, transaction
from linewatch.products import parse_product
from linewatch.settings import Settings
from producer.contract import Verdict
from producer.spool import Spool
from producer.uuid7 import uuid7
from tests.support.console import client_of, console_app
from tests.support.odd_plants import XSS
from tests.support.pictures import encoded, texture
from tests.support.records import a_record
from vision.decode import digest

PAGE = "/pick/plug"
API = "/api/v1/pick/plug"


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    return with_products(engine_for(sqlite_url))


@pytest.fixture
def either(database_url: str) -> Engine:
    """What is listed, and in which order, is asked of both databases."""
    return with_products(engine_for(database_url))


def with_products(engine: Engine) -> Engine:
    with transaction(engine) as connection:
        for product in ("plug", "cable"):
            classes = [{"code": "good", "good": True}, {"code": "bent"}]
            spec = parse_product({"product": product, "classes": classes}, source="test")
            products.register(connection, spec)
    return engine


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "pictures"
    made.mkdir()
    return made


@pytest.fixture
def app(engine: Engine, root: Path, make_settings: Callable[..., Settings]) -> FastAPI:
    return app_of(engine, root, make_settings)


def app_of(
    engine: Engine,
    root: Path,
    make_settings: Callable[..., Settings],
    redis_url: str = "redis://127.0.0.1:1/0",
) -> FastAPI:
    make_settings(image_roots=[root], upload_dir=root / "up", redis_url=redis_url)
    return console_app(engine)


@pytest.fixture
def client(app: FastAPI) -> TestClient:
    return client_of(app, "engineer")


def judged(engine: Engine, root: Path, count: int, **fields: Any) -> list[UUID]:
    """Pictures on disk that workers judged some minutes ago, the last one last."""
    records = []
    for number in range(count):
        id_ = uuid7()
        data = encoded(Image.fromarray(texture(64, 64, id_.int % 2**32)), "PNG")
        path = root / f"{id_}.png"
        path.write_bytes(data)
        at = datetime.now(UTC) - timedelta(minutes=count - number)
        usual = {"id": id_, "image_uri": str(path), "image_sha256": digest(data)}
        times = {"decided_at": at, "captured_at": at, "enqueued_at": at}
        records.append(a_record(**{**usual, **times, "part": f"P{number}", **fields}))
    commit_inspections(engine, records, UTC)
    return [record.id for record in records]


def shown(client: TestClient, **query: str) -> list[str]:
    return [one["id"] for one in client.get(API, params=query).json()["pictures"]]


def waiting(app: FastAPI) -> list[dict[str, Any]]:
    spool = Spool(app.state.site.intake.spool_path)
    try:
        return list(spool.export())
    finally:
        spool.close()


def test_pictures_are_narrowed_by_station_product_and_time(
    either: Engine, root: Path, make_settings: Callable[..., Settings]
) -> None:
    client = client_of(app_of(either, root, make_settings), "engineer")
    cable = judged(either, root, 2)
    plug = judged(either, root, 1, product="plug", line="L2", camera="C2")
    old = datetime.now(UTC) - timedelta(days=30)
    aged = judged(either, root, 1, decided_at=old, captured_at=old, camera="C9")
    judged(either, root, 1, verdict=Verdict.REJECTED, image_sha256=None)
    judged(either, root, 1, product="plug", line=set_up.LINE, camera=set_up.CAMERA)
    told = [str(id_) for id_ in [*reversed(plug), *reversed(cable)]]
    assert shown(client) == told, "the newest first; none that teaches nothing or is there already"
    assert shown(client, line="L2") == shown(client, judged_as="plug") == told[:1]
    assert shown(client, line="L1", camera="C1") == told[1:]
    assert shown(client, since="", camera="C9") == [str(aged[0])]
    assert shown(client, since="2026-01-01", until="2026-01-02") == []
    assert shown(client, since="", until="0001-01-02") == []
    page = client.get(PAGE).text
    assert f"/pictures/{told[0]}?size=320" in page
    assert f'value="{told[0]}"' in page


def test_a_page_says_where_the_next_one_begins(
    either: Engine, root: Path, make_settings: Callable[..., Settings]
) -> None:
    client = client_of(app_of(either, root, make_settings), "engineer")
    told = [str(id_) for id_ in reversed(judged(either, root, 65))]
    for query in ({}, {"line": "L1"}):
        first = client.get(API, params=query).json()
        assert [one["id"] for one in first["pictures"]] == told[:60]
        rest = client.get(f"{API}?{first['more']}").json()
        assert [one["id"] for one in rest["pictures"]] == told[60:]
        assert rest["next"] is None
    assert "no place in the list" in client.get(API, params={"after": "x"}).json()["problem"]


def test_pictures_of_the_product_are_labelled_where_they_are(
    engine: Engine, root: Path, app: FastAPI, client: TestClient
) -> None:
    ids = judged(engine, root, 3, product="plug")
    form = {"chosen": [str(id_) for id_ in ids[:2]], "shows": "good"}
    answer = client.post(PAGE, data=form)
    assert answer.status_code == 200
    assert labels.latest(engine, "plug") == dict.fromkeys(ids[:2], "good")
    deed = next(one for one in audit.newest(engine) if one.action == "product.pick")
    assert deed.detail == {"shows": "good", "labelled": 2, "handed_over": 0}
    assert not app.state.site.intake.spool_path.exists(), "no copy that would be tested, too"
    seen = client.get("/api/v1/setup/plug").json()
    assert (seen["good"], seen["classes"][0]["labelled"]) == (2, 2)
    assert seen["classes"][0]["pictures"] == 0, "none was handed over"

    again = client.post(PAGE, data={**form, "chosen": [str(ids[0])], "shows": "good"})
    assert "There already: 1" in again.text
    assert client.post(PAGE, data={"chosen": [str(ids[0])], "shows": "bent"}).status_code == 200
    assert labels.latest(engine, "plug") == {ids[0]: "bent", ids[1]: "good"}
    assert [one["label"] for one in client.get(API).json()["pictures"]] == [None, "good", "bent"]


def test_pictures_of_other_products_are_handed_over_once(
    engine: Engine, root: Path, app: FastAPI, client: TestClient
) -> None:
    ids = judged(engine, root, 2, part="P7")
    form = {"chosen": [str(id_) for id_ in ids], "shows": "bent"}
    for _ in range(2):
        assert client.post(PAGE, data=form).status_code == 200
    held = waiting(app)
    assert {(one["line"], one["product"], one["lot"]) for one in held} == {
        (set_up.LINE, "plug", set_up.lot_of("bent"))
    }
    assert [one["part"] for one in held] == ["cable P7"] * 2, "one part, which no split tears apart"
    files = [Path(one["uri"]).stem for one in held]
    commit = {"product": "plug", "line": set_up.LINE, "camera": set_up.CAMERA, "part": "cable P7"}
    for one, sha256 in zip(held, files, strict=True):
        record = a_record(id=UUID(one["id"]), image_sha256=sha256, **commit)
        commit_inspections(engine, [record], UTC)
    assert set_up.files(engine, "plug") == set(files)
    app.state.site.intake.close()
    app.state.site.intake.spool_path.unlink()  # as after their receipts
    assert "There already: 2" in client.post(PAGE, data=form).text
    assert not app.state.site.intake.waiting(set_up.LINE, "plug")


def test_tables_without_rows_have_their_columns(client: TestClient) -> None:
    for address in (f"{API}.csv", "/api/v1/lines.csv", "/api/v1/alerts.csv", "/api/v1/trail/x.csv"):
        answer = client.get(address)
        assert answer.headers["content-type"].startswith("text/csv"), address
        (header,) = answer.text.splitlines()
        assert len(header.split(",")) >= 4, address
    assert header.startswith("at,what,detail,letter")


def test_who_picks_the_same_pictures_at_the_same_time_hands_each_over_once(
    engine: Engine, root: Path, make_settings: Callable[..., Settings], redis_url: str
) -> None:
    """Two people, each at a process of their own."""
    apps = [app_of(engine, root, make_settings, redis_url) for _ in range(2)]
    both = [client_of(apps[n], "engineer", name) for n, name in enumerate(("ida", "max"))]
    form = {"chosen": [str(id_) for id_ in judged(engine, root, 12)], "shows": "bent"}
    ready = threading.Barrier(2)

    def pick(client: TestClient) -> None:
        ready.wait()
        assert client.post(PAGE, data=form).status_code == 200

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(pick, both))
    uris = [one["uri"] for one in waiting(apps[0])]
    assert len(uris) == len(set(uris)) == 12


def test_who_picks_what_another_hands_over_is_told_who_does(
    engine: Engine, root: Path, make_settings: Callable[..., Settings], redis_url: str
) -> None:
    one, other = (app_of(engine, root, make_settings, redis_url) for _ in range(2))
    ids = judged(engine, root, 2)
    claims = handing_over_of(one.state.site)
    sha256 = digest((root / f"{ids[0]}.png").read_bytes())
    assert claims.claim("plug", sha256, "ida") is None
    form = {"chosen": [str(id_) for id_ in ids], "shows": "bent"}
    said = client_of(other, "engineer", "max").post(PAGE, data=form).text
    assert f"{ids[0]}: ida hands it over right now" in said
    assert "Handed over: 1" in said
    assert len(waiting(other)) == 1


def test_a_picture_that_could_not_be_handed_over_can_be_picked_again(
    engine: Engine, root: Path, app: FastAPI, client: TestClient
) -> None:
    (id_,) = judged(engine, root, 1)
    form = {"chosen": [str(id_)], "shows": "bent"}
    (root / "up").write_text("no folder")  # nothing can be stored there
    assert f"Not taken: {id_}" in " ".join(client.post(PAGE, data=form).text.split())
    (root / "up").unlink()
    assert "Handed over: 1" in client.post(PAGE, data=form).text


def test_what_cannot_be_taken_is_said_and_the_rest_is_taken(
    engine: Engine, root: Path, app: FastAPI, client: TestClient
) -> None:
    ids = judged(engine, root, 4)
    (root / f"{ids[0]}.png").unlink()
    (root / f"{ids[1]}.png").write_bytes((root / f"{ids[2]}.png").read_bytes())
    chosen = [str(id_) for id_ in [*ids, uuid7()]]
    answer = client.post(PAGE, data={"chosen": chosen, "shows": "good"})
    assert f"{ids[0]}: " in answer.text
    assert f"{ids[1]}: another picture lies under its name now" in answer.text
    assert "1 of them are gone" in answer.text
    assert "Handed over: 2" in answer.text
    assert len(waiting(app)) == 2


@pytest.mark.parametrize(
    ("form", "status", "said"),
    [
        ({"shows": "good"}, 400, "no picture was chosen"),
        ({"shows": XSS[:60], "chosen": [str(uuid7())]}, 400, "has no class"),
        ({"shows": "good", "chosen": ["x"]}, 422, "chosen"),
        ({"shows": "good", "chosen": [str(uuid7())] * 61}, 422, "chosen"),
    ],
)
def test_a_wrong_form_is_one_sentence(
    client: TestClient, form: dict[str, Any], status: int, said: str
) -> None:
    answer = client.post(PAGE, data=form)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert XSS[:60] not in answer.text


def test_only_engineers_pick(app: FastAPI, engine: Engine, root: Path) -> None:
    (id_,) = judged(engine, root, 1, product="plug")
    inspector = client_of(app, "inspector")
    assert inspector.get(PAGE).status_code == 403
    form = {"shows": "good", "chosen": [str(id_)]}
    assert inspector.post(PAGE, data=form).status_code == 403
    assert labels.latest(engine, "plug") == {}
    assert client_of(app, "engineer").get("/pick/none").status_code == 404
