"""Signing in at a real OpenID provider."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from console.access.visitor import COOKIE
from db.people import sessions, users
from db.session import engine_for, transaction
from linewatch.settings import Settings
from tests.support.console import client_of, console_app
from tests.support.oidc import come_back, provider

pytestmark = pytest.mark.slow  # node takes seconds to start
HERE = "http://testserver"


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    return engine_for(sqlite_url)


@pytest.fixture
def client(engine: Engine, make_settings: Callable[..., Settings]) -> Iterator[TestClient]:
    with provider(f"{HERE}/sign-in/provider/back") as issuer:
        make_settings(
            oidc_issuer=issuer,
            oidc_client_id="linewatch",
            oidc_client_secret="a-secret-of-the-test",
            oidc_roles="lw-viewers=viewer,lw-engineers=engineer",
        )
        yield client_of(console_app(engine))


@pytest.fixture
def browser() -> Iterator[httpx.Client]:
    with httpx.Client() as client:
        yield client


def test_a_person_signs_in_with_the_role_of_their_groups(
    client: TestClient, engine: Engine, browser: httpx.Client
) -> None:
    gone = client.get("/sign-in/provider?next=/account")
    asked = parse_qs(urlsplit(gone.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["nonce"]
    assert "prompt" not in asked

    back = come_back(gone.headers["location"], "ida", browser)
    arrived = client.get(back)
    assert (arrived.status_code, arrived.headers["location"]) == (303, "/account")
    user = users.named(engine, "ida")
    assert user is not None
    assert (user.role, user.password_hash) == ("engineer", None)
    signed_in = sessions.signed_in(engine, client.cookies[COOKIE])
    assert signed_in is not None
    assert not _confirmed(engine, signed_in.token_sha256)

    assert client.get(back).status_code == 401, "an answer holds once"


def test_an_answer_without_its_departure_is_refused(
    client: TestClient, engine: Engine, browser: httpx.Client
) -> None:
    back = come_back(client.get("/sign-in/provider").headers["location"], "ida", browser)
    victim = client_of(client.app)  # type: ignore[arg-type]
    assert "another browser" in victim.get(back).text
    forged = back.replace("state=", "state=x")
    assert client.get(forged).status_code == 401
    assert users.listed(engine) == ()


def test_who_is_in_no_group_or_has_anothers_name_stays_out(
    client: TestClient, engine: Engine, browser: httpx.Client
) -> None:
    back = come_back(client.get("/sign-in/provider").headers["location"], "otto", browser)
    assert "in no group" in client.get(back).text

    with transaction(engine) as connection:
        users.add(connection, "eva", "admin", password_hash=None, by="test")
    with httpx.Client() as other:
        back = come_back(client.get("/sign-in/provider").headers["location"], "eva", other)
    assert "there is a user" in client.get(back).text
    assert COOKIE not in client.cookies


def test_signing_asks_the_provider_again(
    client: TestClient, engine: Engine, browser: httpx.Client
) -> None:
    client.get(come_back(client.get("/sign-in/provider").headers["location"], "ida", browser))
    token = sessions.sha256(client.cookies[COOKIE])

    gone = client.get("/sign-in/provider?again=1&next=/models").headers["location"]
    assert parse_qs(urlsplit(gone).query)["prompt"] == ["login"]
    with httpx.Client() as other:
        as_another = come_back(gone, "pia", other)
    assert "but are ida here" in client.get(as_another).text
    assert not _confirmed(engine, token)

    gone = client.get("/sign-in/provider?again=1&next=/models").headers["location"]
    arrived = client.get(come_back(gone, "ida", browser))
    assert arrived.headers["location"] == "/models"
    assert _confirmed(engine, token)


def _confirmed(engine: Engine, token: str) -> bool:
    return sessions.confirmed(engine, token, within=timedelta(minutes=1))
