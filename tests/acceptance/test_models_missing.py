"""Workers that cannot load a champion: none of their pictures is answered `no_model`."""

from __future__ import annotations

import shutil
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from db import alerts, products
from db.inspections.inspections import outcomes
from db.models import deployments
from linewatch.doctor.diagnosis import examine
from linewatch.doctor.findings import State
from linewatch.products import parse_product
from linewatch.services import free_port
from producer.contract import Reason, Verdict
from tests.acceptance.faults.trainer import PRODUCT
from tests.acceptance.faults.versions import new_version
from tests.acceptance.live import Live, ids_of, kill, message
from tests.support.committed import committed

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def database_url(sqlite_url: str) -> str:
    return sqlite_url  # which database it is makes no difference here


def get(url: str) -> tuple[int, str]:
    """Status and text of a worker's own answer."""
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def refused(plant: Live) -> list[str]:
    found = alerts.open_alerts(plant.engine)
    return [alert.message for alert in found if alert.kind == "model_refused"]


def test_a_store_that_is_not_shared_and_a_product_that_is_broken(
    plant: Live, tmp_path: Path
) -> None:
    port = free_port()
    first = plant.worker("a", LINEWATCH_MODEL_POLL_S="0.2")
    champion = new_version(plant)
    committed(plant.engine, deployments.promote, PRODUCT, champion, by="tester", why="test")
    plant.until(lambda: f"{champion} is champion of" in plant._log("a"), 30, "champion")
    elsewhere = tmp_path / "elsewhere"
    lonely = plant.worker(
        "b",
        LINEWATCH_MODEL_STORE_URL=str(elsewhere),
        LINEWATCH_MODEL_POLL_S="0.2",
        LINEWATCH_METRICS_PORT=str(port),
    )
    it_takes_nothing_and_says_so(plant, champion, port)
    kill(first)
    pictures_wait_for_a_worker_that_can(plant, champion, elsewhere, port)
    one_broken_product_stops_no_other(plant, champion)
    assert lonely.process.poll() is None


def it_takes_nothing_and_says_so(plant: Live, champion: str, port: int) -> None:
    with plant.camera() as camera:
        ids = [camera.submit(plant.picture(size=64)) for _ in range(8)]
        assert camera.wait(timeout=60)
    assert {o.model_version for o in plant.outcomes(ids).values()} == {champion}
    status, said = get(f"http://127.0.0.1:{port}/readyz")
    assert (status, champion in said) == (503, True)
    assert get(f"http://127.0.0.1:{port}/healthz")[0] == 200  # a new start would not help
    assert "linewatch_taking 0.0" in get(f"http://127.0.0.1:{port}/metrics")[1]
    (alert,) = refused(plant)
    assert alert.startswith("b@")
    assert champion in alert
    failed = [f.detail for f in examine(plant.settings) if f.state is State.FAIL]
    assert any("takes nothing" in detail and champion in detail for detail in failed)
    assert any("model_refused since" in detail for detail in failed)


def pictures_wait_for_a_worker_that_can(
    plant: Live, champion: str, elsewhere: Path, port: int
) -> None:
    """The store is there after all: the worker begins to take by itself, and its alert ends."""
    payload = message(plant.picture(size=64))
    plant.enqueue(payload)
    assert plant.waiting() == 1
    assert outcomes(plant.engine, ids_of(payload)) == {}
    shutil.copytree(plant.settings.models_url, elsewhere, dirs_exist_ok=True)
    (outcome,) = plant.wait_for(ids_of(payload)).values()
    assert outcome.model_version == champion
    assert get(f"http://127.0.0.1:{port}/readyz")[0] == 200
    plant.until(lambda: refused(plant) == [], 20, "alert that is closed")


def one_broken_product_stops_no_other(plant: Live, champion: str) -> None:
    classes = [{"code": "good", "good": True}, {"code": "scratch"}]
    committed(
        plant.engine,
        products.register,
        parse_product({"product": "gear", "classes": classes}, source="tests"),
    )
    with plant.camera(product="gear") as camera:
        early = camera.submit(plant.picture(size=64))
        assert camera.wait(timeout=60)
    assert plant.outcomes([early])[early].reason is Reason.NO_MODEL  # there is none at all
    version = new_version(plant, product="gear")  # in a store that the worker does not read
    committed(plant.engine, deployments.promote, "gear", version, by="tester", why="test")
    plant.until(lambda: len(refused(plant)) == 1, 20, "alert")
    broken, whole = message(plant.picture(size=64), product="gear"), []
    plant.enqueue(broken)
    for _ in range(5):
        whole.append(message(plant.picture(size=64)))
        plant.enqueue(whole[-1])
    found = plant.wait_for([id_ for payload in whole for id_ in ids_of(payload)])
    assert {o.model_version for o in found.values()} == {champion}
    assert outcomes(plant.engine, ids_of(broken)) == {}
    committed(plant.engine, deployments.retire, "gear", by="tester", why="test")
    (outcome,) = plant.wait_for(ids_of(broken)).values()
    assert (outcome.verdict, outcome.reason) == (Verdict.REVIEW, Reason.NO_MODEL)
    plant.until(lambda: refused(plant) == [], 20, "alert that is closed")
