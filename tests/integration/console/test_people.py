"""Letting people in and out, their links, sessions, passwords and systems' keys."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from click.testing import CliRunner
from fastapi import APIRouter, FastAPI
from sqlalchemy import Engine
from starlette.testclient import TestClient

from console.access import passwords
from console.access.roles import Role, opened_to
from console.access.visitor import COOKIE
from db import audit
from db.people import keys, links, sessions, users
from db.session import engine_for, transaction
from linewatch.cli import cli
from linewatch.errors import UserError
from linewatch.settings import Settings
from tests.support.console import client_of, console_app

PASSWORD = "a long sentence"


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    return engine_for(sqlite_url)


@pytest.fixture
def app(engine: Engine) -> FastAPI:
    return console_app(engine)


def link_in(page: str) -> str:
    found = re.search(r"/sign-in/link/[\w-]+", page)
    assert found, page
    return found[0]


def test_somebody_is_let_in_by_a_link_and_sets_a_password(app: FastAPI, engine: Engine) -> None:
    admin, ida = client_of(app, "admin"), client_of(app)
    made = admin.post("/people/add", data={"name": "ida", "role": "inspector"})
    link = link_in(made.text)
    assert ida.post("/sign-in", data={"name": "ida", "password": ""}).status_code in (401, 422)

    assert "ida" in ida.get(link).text
    assert "ida" in ida.get(link).text, "to look at it uses nothing up"
    assert ida.post(link).status_code == 303
    assert ida.get("/api/v1/account").json()["role"] == "inspector"
    assert client_of(app).post(link).status_code == 404, "a link is good once"

    short = ida.post("/account/password", data={"new": "short", "again": "short"})
    unlike = ida.post("/account/password", data={"new": PASSWORD, "again": PASSWORD + "x"})
    assert (short.status_code, unlike.status_code) == (400, 400)
    assert ida.post("/account/password", data={"new": PASSWORD, "again": PASSWORD}).is_redirect
    assert client_of(app).post("/sign-in", data={"name": "ida", "password": PASSWORD}).is_redirect
    assert [deed.action for deed in audit.newest(engine, 3)] == [
        "user.password",
        "user.link",
        "user.add",
    ]


def test_a_password_needs_the_old_one_and_ends_other_sessions(app: FastAPI, engine: Engine) -> None:
    with transaction(engine) as connection:
        users.add(connection, "ida", "viewer", password_hash=passwords.hashed(PASSWORD), by="test")
    here, there = client_of(app, "viewer", "ida"), client_of(app, "viewer", "ida")
    form = {"new": "another sentence", "again": "another sentence"}
    assert "old password" in here.post("/account/password", data={**form, "old": "x"}).text
    assert there.get("/account").status_code == 200
    assert here.post("/account/password", data={**form, "old": PASSWORD}).is_redirect
    assert here.get("/account").status_code == 200
    assert there.get("/account").is_redirect, "another browser is signed out"


def test_who_finds_an_open_browser_cannot_set_a_first_password(
    app: FastAPI, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("console.pages.account._JUST_SIGNED_IN", timedelta(0))
    client = client_of(app, "viewer", "ida")
    answer = client.post("/account/password", data={"new": PASSWORD, "again": PASSWORD})
    assert "new link" in answer.text
    user = users.named(engine, "ida")
    assert user is not None
    assert user.password_hash is None


def test_a_role_counts_at_once_and_a_disabled_person_is_out(app: FastAPI, engine: Engine) -> None:
    admin, ida = client_of(app, "admin"), client_of(app, "viewer", "ida")
    assert ida.get("/api/v1/people").status_code == 403
    assert admin.post("/people/role", data={"name": "ida", "role": "admin"}).is_redirect
    assert ida.get("/api/v1/people").status_code == 200
    assert audit.newest(engine, 1)[0].detail == {"old": "viewer", "new": "admin"}
    with transaction(engine) as connection:
        link = links.path(links.make(connection, "ida", by="test"))
    assert admin.post("/people/disable", data={"name": "ida"}).is_redirect
    assert ida.get("/api/v1/people").status_code == 401
    assert client_of(app).get(link).status_code == 404
    assert admin.post("/people/enable", data={"name": "ida"}).is_redirect
    assert ida.get("/api/v1/people").status_code == 401, "their sessions stay ended"


def test_the_last_admin_stays(app: FastAPI) -> None:
    admin = client_of(app, "admin")
    for action, form in (("role", {"role": "viewer"}), ("disable", {})):
        answer = admin.post(f"/people/{action}", data={"name": "admin-of-test", **form})
        assert (answer.status_code, "only admin" in answer.text) == (400, True)


def test_sessions_are_revoked_ones_own_and_by_the_admin(app: FastAPI, engine: Engine) -> None:
    admin = client_of(app, "admin")
    here, there = client_of(app, "viewer", "ida"), client_of(app, "viewer", "ida")
    eve = client_of(app, "viewer", "eve")
    id_ = sessions.sha256(there.cookies[COOKIE])
    assert eve.post("/account/sessions/revoke", data={"id": id_}).status_code == 404
    assert there.get("/").status_code == 200
    assert here.post("/account/sessions/revoke", data={"id": id_}).is_redirect
    assert there.get("/").is_redirect
    mine = sessions.sha256(here.cookies[COOKIE])
    assert admin.post("/people/sessions/revoke", data={"id": mine}).is_redirect
    assert here.get("/").is_redirect
    assert admin.post("/people/sessions/revoke", data={"id": mine}).status_code == 404


def test_names_stay_text(app: FastAPI, engine: Engine) -> None:
    name = "<script>alert(1)</script>"
    with transaction(engine) as connection:
        users.add(connection, name, "viewer", password_hash=None, by="test")
        for wrong in ("", " x", "key:x", "a\nb", "x" * 101):
            with pytest.raises(UserError):
                users.add(connection, wrong, "viewer", password_hash=None, by="test")
    page = client_of(app, "admin").get("/people").text
    assert name not in page
    assert "&lt;script&gt;alert(1)" in page


def with_scoped_route(engine: Engine) -> FastAPI:
    app = console_app(engine)
    router = APIRouter()
    extra = opened_to(Role.INSPECTOR, scoped=True)
    router.add_api_route("/api/v1/one", lambda: "one", openapi_extra=extra)
    app.include_router(router)
    return app


def bearer(app: FastAPI, key: str) -> TestClient:
    return TestClient(app, headers={"authorization": f"Bearer {key}"}, follow_redirects=False)


def key_in(page: str) -> str:
    found = re.search(r"lw_[0-9a-f]{12}_[\w-]+", page)
    assert found, page
    return found[0]


def test_a_systems_key_may_what_its_role_may_until_it_is_revoked(engine: Engine) -> None:
    app = with_scoped_route(engine)
    admin = client_of(app, "admin")
    form = {"name": "MES", "role": "inspector", "days": "30"}
    key = key_in(admin.post("/people/keys/add", data=form).text)
    client = bearer(app, key)
    assert client.get("/api/v1/one").json() == "one"
    assert client.get("/api/v1/account").json()["name"] == "key:MES"
    assert client.get("/api/v1/people").status_code == 403
    assert bearer(app, key[:-1] + "x").get("/api/v1/one").status_code == 401
    assert key not in admin.get("/people").text

    (row,) = admin.get("/api/v1/people").json()["keys"]
    assert row["used_at"] is not None
    assert admin.post("/people/keys/revoke", data={"id": row["id"]}).is_redirect
    assert client.get("/api/v1/one").status_code == 401
    assert admin.post("/people/keys/revoke", data={"id": row["id"]}).status_code == 400


def test_a_key_of_single_lines_is_refused_where_nobody_looks_at_its_scope(engine: Engine) -> None:
    app = with_scoped_route(engine)
    with transaction(engine) as connection:
        scope = [("L1", None), ("L2", "C1")]
        day = timedelta(days=1)
        key = keys.make(connection, "camera", "admin", lasts=day, by="test", scope=scope)
    client = bearer(app, key)
    assert client.get("/api/v1/one").status_code == 200
    assert client.get("/api/v1/lines").status_code == 403
    assert client.get("/api/v1/people").status_code == 403
    found = keys.good(engine, key)
    assert found is not None
    assert found.scope == (("L1", None), ("L2", "C1"))


def test_a_key_ends_by_itself(engine: Engine) -> None:
    with transaction(engine) as connection:
        day = timedelta(microseconds=1)
        key = keys.make(connection, "MES", "viewer", lasts=day, by="test")
    assert keys.good(engine, key) is None


def test_passwords_cannot_be_tried_for_ever(app: FastAPI) -> None:
    client = client_of(app)
    form = {"name": "ida", "password": "wrong"}
    statuses = [client.post("/sign-in", data=form).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]
    other = client.post("/sign-in", data={"name": "eve", "password": "wrong"})
    assert other.status_code == 401, "others may still try"


def test_users_on_the_command_line(settings: Settings, engine: Engine) -> None:
    run = CliRunner().invoke
    asked = run(cli, ["users", "add", "ida", "--role", "admin"], input=f"{PASSWORD}\n{PASSWORD}\n")
    assert (asked.exit_code, "ida may sign in as admin" in asked.output) == (0, True), asked.output
    file = settings.data_dir / "password"
    file.write_text("short\n")
    with pytest.raises(UserError, match="10 to 1000"):
        run(
            cli,
            ["users", "add", "eve", "--role", "viewer", "--password-file", str(file)],
            catch_exceptions=False,
        )
    assert users.named(engine, "eve") is None
    assert run(cli, ["users", "add", "eve", "--role", "viewer", "--no-password"]).exit_code == 0
    assert run(cli, ["users", "role", "eve", "engineer"]).exit_code == 0
    link = run(cli, ["users", "link", "eve", "--url", "https://plant.example"]).output.strip()
    assert link.startswith("https://plant.example/sign-in/link/")
    client = client_of(console_app(engine))
    assert client.post(link_in(link)).is_redirect
    assert run(cli, ["users", "disable", "eve"]).exit_code == 0
    assert client.get("/").headers["location"].startswith("/sign-in")
    listed = run(cli, ["users", "list", "--format", "csv"]).output
    assert "eve" in listed
    assert PASSWORD not in listed
