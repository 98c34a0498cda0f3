"""On PostgreSQL the console's role can do what the console does, and no more."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC
from uuid import uuid4

import pytest
from sqlalchemy.exc import DBAPIError

from console.access.roles import Role, role_of
from console.access.visitor import COOKIE
from db import products
from db.inspections.inspections import commit_inspections
from db.outage import sqlstate
from db.people import sessions, users
from db.session import transaction
from linewatch.products import parse_product
from linewatch.settings import Settings
from producer.contract import Verdict
from tests.support.console import client_of, console_app, every_route
from tests.support.database_users import Users, database_users
from tests.support.records import a_record
from tests.support.review import a_view, commit

INSUFFICIENT_PRIVILEGE = "42501"
PASSWORD = "a long sentence"


@pytest.fixture
def logins(postgresql_url: str, settings: Settings) -> Iterator[Users]:
    with database_users(postgresql_url) as made:
        classes = [{"code": "good", "good": True}, {"code": "bent_wire"}]
        spec = parse_product({"product": "cable", "classes": classes}, source="test")
        with transaction(made.owner) as connection:
            products.register(connection, spec)
        commit_inspections(made.owner, [a_record(id=uuid4(), part=f"P{n}") for n in range(3)], UTC)
        yield made


def test_every_page_can_be_read_as_the_consoles_role(logins: Users) -> None:
    app = console_app(logins.engine("console"))
    admin = client_of(app, "admin")
    for route in every_route(app):
        if "GET" not in route.methods or role_of(route) is Role.PUBLIC or "stream" in route.path:
            continue
        path = re.sub(r"\{product[^}]*\}", "cable", route.path)
        answer = admin.get(re.sub(r"\{[^}]*\}", "1", path))
        assert answer.status_code < 500, f"{path}: {answer.text[-600:]}"


def test_people_are_let_in_and_out_as_the_consoles_role(logins: Users) -> None:
    app = console_app(logins.engine("console"))
    admin, ida = client_of(app, "admin"), client_of(app)
    made = admin.post("/people/add", data={"name": "ida", "role": "viewer"})
    link = re.search(r"/sign-in/link/[\w-]+", made.text)
    assert link
    assert ida.post(link[0]).status_code == 303
    assert ida.post("/account/password", data={"new": PASSWORD, "again": PASSWORD}).is_redirect
    entered = client_of(app).post("/sign-in", data={"name": "ida", "password": PASSWORD})
    assert entered.is_redirect
    assert admin.post("/people/role", data={"name": "ida", "role": "inspector"}).is_redirect
    form = {"name": "MES", "role": "viewer", "days": "3", "scope": "L1/C1"}
    key = re.search(r"lw_\w{12}_[\w-]+", admin.post("/people/keys/add", data=form).text)
    assert key
    asked = client_of(app).get(
        f"/api/v1/inspections/{uuid4()}", headers={"authorization": f"Bearer {key[0]}"}
    )
    assert asked.status_code == 404, "let in, and there is no such picture"
    (row,) = admin.get("/api/v1/people").json()["keys"]
    assert admin.post("/people/keys/revoke", data={"id": row["id"]}).is_redirect
    id_ = sessions.sha256(ida.cookies[COOKIE])
    assert admin.post("/people/sessions/revoke", data={"id": id_}).is_redirect
    assert admin.post("/people/disable", data={"name": "ida"}).is_redirect
    user = users.named(logins.owner, "ida")
    assert user is not None
    assert user.disabled_at is not None


REFUSED = [
    "INSERT INTO audit_log (actor) VALUES ('x')",
    "UPDATE console_users SET created_by = 'x'",
    "DELETE FROM console_users",
    "DELETE FROM console_sessions",
    "UPDATE console_sessions SET \"user\" = 'x'",
    "UPDATE console_links SET expires_at = now()",
    "UPDATE console_keys SET role = 'admin'",
    "UPDATE inspections SET verdict = 'pass'",
    "DELETE FROM decisions",
    "DELETE FROM labels",
    "UPDATE deployments SET version = 'x'",
    "CREATE TABLE t (x int)",
]


def test_the_consoles_role_can_do_no_more(logins: Users) -> None:
    for statement in REFUSED:
        with (
            pytest.raises(DBAPIError) as refused,
            transaction(logins.engine("console")) as connection,
        ):
            connection.exec_driver_sql(statement)
        assert sqlstate(refused.value) == INSUFFICIENT_PRIVILEGE, statement


def test_parts_are_decided_and_taken_back_as_the_consoles_role(logins: Users) -> None:
    drawn = {"audit_share": 1.0, "product": "plug"}
    classes = [{"code": "ok", "good": True}, {"code": "bent"}]
    with transaction(logins.owner) as connection:
        products.register(connection, parse_product({"classes": classes, **drawn}, source="test"))
        connection.exec_driver_sql("UPDATE audit_shares SET since = since - interval '30 days'")
    commit(logins.owner, [a_view("P1"), a_view(None), a_view("D", verdict=Verdict.PASS)])
    ann = client_of(console_app(logins.engine("console")), "inspector", "ann")
    shown = ann.get("/api/v1/review", params={"product": "plug"}).json()["parts"]
    assert len(shown) == 3
    for part in shown:
        word = {"key": part["key"], "revision": part["revision"], "said": "bent", "golden": True}
        stored = ann.post("/api/v1/review", json=word)
        assert stored.status_code == 200, stored.text
        back = {"key": part["key"], "revision": stored.json()["revision"]}
        assert ann.post("/api/v1/review/undo", json=back).status_code == 200
    figures = ann.get("/api/v1/review", params={"product": "plug"}).json()
    assert (figures["open"], figures["by_person"]) == (2, 0)
