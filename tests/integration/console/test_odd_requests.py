"""Numbers and times that nothing can have, and a mistake of ours: each is answered in words."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from console.access.headers import HEADERS
from console.pages.people import page
from db.session import engine_for
from tests.support.console import OWN_SITE, client_of, console_app
from tests.support.review import a_product

FAR = "0001-01-01T00:00:00+14:00"  # before all that there is, in UTC
BIG = str(10**30)


def cursor(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode()


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    engine = engine_for(sqlite_url)
    a_product(engine)
    return engine


def test_places_and_numbers_beyond_everything_are_refused(engine: Engine) -> None:
    client = client_of(console_app(engine), "admin")
    picture = "00000000-0000-4000-8000-000000000000"
    in_parts = cursor(json.dumps([FAR, "plug", "S", 1]))
    in_pictures = cursor(f"{FAR} {picture}")
    assert client.get("/api/v1/inspections", params={"after": in_pictures}).status_code == 404
    for path, after in (("reports/parts", in_parts), ("pick/plug", f"{FAR} {picture}")):
        answer = client.get(f"/api/v1/{path}", params={"after": after})
        assert (answer.status_code, "no place in" in answer.json()["problem"]) == (200, True)
    for path in ("alerts", "queue"):
        answer = client.get(f"/api/v1/{path}", params={"after": BIG})
        assert (answer.status_code, answer.json()["title"]) == (400, "Bad Request")
    assert client.post(f"/queue/letters/{BIG}/requeue").status_code in (400, 404, 422)


def test_a_fault_of_ours_is_said_as_safely_as_all_else(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("a secret of ours")

    monkeypatch.setattr(page.users, "listed", broken)
    app = console_app(engine)
    admin = client_of(app, "admin")
    outside = TestClient(app, raise_server_exceptions=False, headers=OWN_SITE)
    outside.cookies = admin.cookies
    for path, kind in (("/people", "text/html"), ("/api/v1/people", "application/problem+json")):
        answer = outside.get(path)
        assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (500, kind)
        assert "fault of Linewatch" in answer.text
        assert "secret" not in answer.text
        assert HEADERS.items() <= dict(answer.headers).items()
        assert answer.headers["cache-control"] == "no-store"
