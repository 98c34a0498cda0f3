"""Nobody comes further than their role."""

from __future__ import annotations

import re

import pytest
from fastapi import APIRouter
from sqlalchemy import Engine

from console.access import passwords
from console.access.roles import Role, role_of
from console.access.visitor import COOKIE
from db.people import sessions, users
from db.session import transaction
from tests.support.console import OWN_SITE, client_of, console_app, every_route


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    from db.session import engine_for

    return engine_for(sqlite_url)


def test_a_route_that_names_no_role_is_the_admins(engine: Engine) -> None:
    app = console_app(engine)
    router = APIRouter()
    router.add_api_route("/forgotten", lambda: {"seen": True})
    app.include_router(router)

    assert client_of(app).get("/forgotten").status_code == 303
    assert client_of(app, "engineer").get("/forgotten").status_code == 403
    assert client_of(app, "admin").get("/forgotten").json() == {"seen": True}


def test_every_route_refuses_the_role_below_its_own(engine: Engine) -> None:
    app = console_app(engine)
    for route in every_route(app):
        if role_of(route) is Role.PUBLIC:
            continue
        below = Role(role_of(route) - 1)
        client = client_of(app, None if below is Role.PUBLIC else below.word)
        path = re.sub(r"\{[^}]*\}", "1", route.path)
        for method in route.methods:
            answer = client.request(method, path)
            expected = {401, 303} if below is Role.PUBLIC else {403}
            assert answer.status_code in expected, f"{method} {path} as {below.word}"


def test_a_person_signs_in_and_out(engine: Engine) -> None:
    with transaction(engine) as connection:
        users.add(connection, "ida", "viewer", password_hash=passwords.hashed("right"), by="test")
    client = client_of(console_app(engine))

    wrong = client.post("/sign-in", data={"name": "ida", "password": "wrong"})
    nobody = client.post("/sign-in", data={"name": "eve", "password": "wrong"})
    assert wrong.status_code == nobody.status_code == 401
    assert "name or password is not right" in wrong.text

    entered = client.post("/sign-in", data={"name": "ida", "password": "right", "next": "//evil"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/")
    token = client.cookies[COOKIE]
    assert sessions.signed_in(engine, token) is not None
    assert client.get("/").status_code == 200

    client.post("/sign-out")
    assert sessions.signed_in(engine, token) is None


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "", "origin": "http://evil"}, 403),
        ({"origin": "http://testserver"}, 303),
        ({"origin": "http://evil"}, 403),
        ({}, 403),
    ],
)
def test_what_another_site_sends_is_refused(
    engine: Engine, headers: dict[str, str], status: int
) -> None:
    client = client_of(console_app(engine), "viewer")
    del client.headers[next(iter(OWN_SITE))]
    assert client.post("/sign-out", headers=headers).status_code == status


def test_answers_carry_their_policy(engine: Engine) -> None:
    answer = client_of(console_app(engine)).get("/sign-in")
    assert "script-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "no-store"


def test_a_page_is_also_its_json(engine: Engine) -> None:
    client = client_of(console_app(engine), "viewer")
    assert client.get("/api/v1/lines").json()["lines"] == []
    assert "No line has sent a picture yet" in client.get("/").text
    assert "Noch keine Linie" in client.get("/", headers={"accept-language": "de-AT,de"}).text


def test_problems_are_json_for_programs(engine: Engine) -> None:
    answer = client_of(console_app(engine)).get("/api/v1/lines")
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["title"] == "Unauthorized"
