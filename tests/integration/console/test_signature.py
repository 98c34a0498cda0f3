"""A signed deed: the signer shows again who they are; the audit chain keeps meaning and reason."""

from __future__ import annotations

from datetime import timedelta

import pytest
from fastapi import APIRouter, FastAPI, Request
from sqlalchemy import Engine
from starlette.testclient import TestClient

from console.access import passwords
from console.access.roles import Role, opened_to
from console.access.signature import Signed, sign, signing_for
from console.access.visitor import COOKIE
from console.page import visit
from console.site import site_of
from db import audit
from db.people import sessions, users
from db.session import engine_for, transaction
from tests.support.console import client_of, console_app


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    return engine_for(sqlite_url)


def with_a_deed(engine: Engine) -> FastAPI:
    """The console with a route that needs a signature."""
    router = APIRouter()

    @router.post("/deed", openapi_extra=opened_to(Role.ENGINEER))
    def deed(request: Request, signature: Signed) -> dict[str, str]:
        with transaction(site_of(request).engine) as connection:
            sign(connection, signature, "test.deed", "it", {"old": 1, "new": 2})
        return {"done": "yes"}

    @router.get("/how", openapi_extra=opened_to(Role.ENGINEER))
    def how(request: Request) -> str:
        return signing_for(visit(request), ["approval"]).how

    app = console_app(engine)
    app.include_router(router)
    return app


def signer(engine: Engine, password: str | None, subject: str | None = None) -> TestClient:
    hashed = None if password is None else passwords.hashed(password)
    with transaction(engine) as connection:
        users.add(connection, "eva", "engineer", password_hash=hashed, subject=subject, by="test")
    return client_of(with_a_deed(engine), "engineer", "eva")


FORM = {"meaning": "approval", "reason": "it is better"}


def test_a_deed_needs_the_password_again_and_leaves_its_signature(engine: Engine) -> None:
    client = signer(engine, "right")
    assert client.get("/how").json() == "password"
    wrong = client.post("/deed", data={**FORM, "password": "wrong"})
    empty = client.post("/deed", data={**FORM, "reason": " ", "password": "right"})
    assert (wrong.status_code, empty.status_code) == (400, 400)
    assert "the password is not yours" in wrong.text
    assert client.post("/deed", data={"password": "right"}).status_code == 422
    assert audit.newest(engine)[0].action == "user.add"

    assert client.post("/deed", data={**FORM, "password": "right"}).json() == {"done": "yes"}
    deed = audit.newest(engine)[0]
    assert (deed.actor, deed.action, deed.subject) == ("eva", "test.deed", "it")
    signature = {"meaning": "approval", "reason": "it is better", "how": "password"}
    assert deed.detail == {"old": 1, "new": 2, "signature": signature}
    assert audit.verify(engine).problem is None


def test_a_new_sign_in_at_the_provider_holds_for_one_signature(engine: Engine) -> None:
    client = signer(engine, None, subject="https://id.example 42")
    assert client.get("/how").json() == "provider"
    assert client.post("/deed", data=FORM).status_code == 400
    with transaction(engine) as connection:
        sessions.confirm(connection, sessions.sha256(client.cookies[COOKIE]))
    assert client.post("/deed", data=FORM).status_code == 200
    assert client.post("/deed", data=FORM).status_code == 400


def test_who_has_neither_cannot_sign(engine: Engine) -> None:
    client = signer(engine, None)
    assert client.get("/how").json() == "none"
    assert "set yourself a password" in client.post("/deed", data={**FORM, "password": "x"}).text


def test_a_password_cannot_be_tried_for_ever(engine: Engine) -> None:
    client = signer(engine, "right")
    answers = [client.post("/deed", data={**FORM, "password": str(n)}) for n in range(11)]
    assert [answer.status_code for answer in answers] == [400] * 10 + [429]
    assert answers[-1].headers["retry-after"]
    assert client.post("/deed", data={**FORM, "password": "right"}).status_code == 429


def test_a_confirmation_ends(engine: Engine) -> None:
    client = signer(engine, None, subject="https://id.example 42")
    token = sessions.sha256(client.cookies[COOKIE])
    with transaction(engine) as connection:
        sessions.confirm(connection, token)
        assert not sessions.use_confirmation(connection, token, within=timedelta(0))
        assert sessions.use_confirmation(connection, token, within=timedelta(minutes=1))
