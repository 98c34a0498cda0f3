"""A promotion from the page where a product is set up: of what the person saw, and signed."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from console.access import passwords
from db import audit
from db.models import deployments
from db.models.standing import SHADOW, standing
from db.people import users
from db.session import engine_for, transaction
from tests.support.committed import committed
from tests.support.console import client_of, console_app
from tests.support.review import PRODUCT, a_product, a_version

SIGNED = {"meaning": "approval", "reason": "it is better", "password": "right"}


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    engine = engine_for(sqlite_url)
    a_product(engine)
    for number in (1, 2, 3):
        a_version(engine, number)
    committed(engine, deployments.promote, PRODUCT, "plug-1", by="test", why="the first")
    return engine


@pytest.fixture
def eva(engine: Engine) -> TestClient:
    hashed = passwords.hashed("right")
    with transaction(engine) as connection:
        users.add(connection, "eva", "engineer", password_hash=hashed, by="test")
    return client_of(console_app(engine), "engineer", "eva")


@pytest.mark.parametrize("page", ["/products/plug", "/models/plug-3"])
def test_who_looked_before_another_promoted_is_told(
    engine: Engine, eva: TestClient, page: str
) -> None:
    form = next(one for one in eva.get(page).text.split("<form") if "/promote" in one)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    assert fields["seen"] == "plug-1"
    (action,) = re.findall(r'action="([^"]*/promote)"', form)
    committed(engine, deployments.promote, PRODUCT, "plug-2", by="bob", why="meanwhile")
    answer = eva.post(action, data={**fields, "version": "plug-3", **SIGNED})
    assert (answer.status_code, "plug-2 serves plug by now" in answer.text) == (409, True)
    assert standing(engine, PRODUCT).version == "plug-2"
    assert "model.promote.signed" not in [deed.action for deed in audit.newest(engine)]


@pytest.mark.parametrize("page", ["/products/plug", "/models/plug-3"])
@pytest.mark.parametrize("before", [None, "plug-3"])
def test_who_looked_before_another_set_the_shadow_is_told(
    engine: Engine, eva: TestClient, page: str, before: str | None
) -> None:
    if before is not None:
        committed(engine, deployments.set_shadow, PRODUCT, before, by="test", why="the first")
    form = next(one for one in eva.get(page).text.split("<form") if "/shadow" in one)
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form))
    assert fields["seen"] == (before or "")
    (action,) = re.findall(r'action="([^"]*/shadow)"', form)
    committed(engine, deployments.set_shadow, PRODUCT, "plug-2", by="bob", why="meanwhile")
    answer = eva.post(action, data={"version": "plug-3", **fields})
    said = "plug-2 judges plug in the shadow by now"
    assert (answer.status_code, said in answer.text) == (409, True)
    assert standing(engine, PRODUCT, SHADOW).version == "plug-2"


def test_who_saw_the_shadow_sets_another(engine: Engine, eva: TestClient) -> None:
    committed(engine, deployments.set_shadow, PRODUCT, "plug-2", by="test", why="the first")
    answer = eva.post("/products/plug/shadow", data={"version": "plug-3", "seen": "plug-2"})
    assert answer.status_code == 303
    answer = eva.post("/models/plug-3/shadow", data={"off": "true", "seen": "plug-3"})
    assert (answer.status_code, standing(engine, PRODUCT, SHADOW).version) == (303, None)
