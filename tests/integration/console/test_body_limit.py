"""A body is read before anybody knows who sends it, so anybody's is short."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from console.access.body_limit import ANYBODYS_BYTES, KNOWN_BYTES, OWN_READERS
from db.session import engine_for
from tests.support.console import client_of, console_app, every_route

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}


@pytest.fixture
def engine(sqlite_url: str) -> Engine:
    return engine_for(sqlite_url)


def in_pieces(count: int) -> Iterator[bytes]:
    """A body that does not say how long it is."""
    for _ in range(count):
        yield b"a&" * 512


@pytest.mark.parametrize(("path", "headers"), [("/sign-in", FORM), ("/api/v1/review", JSON)])
@pytest.mark.parametrize("said", [True, False])
def test_nobody_holds_the_console_with_a_long_body(
    path: str, headers: dict[str, str], said: bool, engine: Engine
) -> None:
    client, kilobytes = client_of(console_app(engine)), 4096
    client.get("/healthz")
    began = time.process_time()
    answer = client.post(
        path,
        content=b"".join(in_pieces(kilobytes)) if said else in_pieces(kilobytes),
        headers=headers,
    )
    assert (answer.status_code, "64 KB" in answer.text) == (413, True)
    assert time.process_time() - began < 3, "4 MB of fields take eight seconds to be read"


def test_a_cookie_that_is_nobodys_opens_nothing(engine: Engine) -> None:
    client = client_of(console_app(engine))
    client.cookies.set("linewatch_session", "guessed")
    for headers in (FORM, {**FORM, "authorization": "Bearer lw_guessed_guessed"}):
        answer = client.post("/sign-in", content=b"a" * (ANYBODYS_BYTES + 1), headers=headers)
        assert answer.status_code == 413


def test_who_is_signed_in_may_send_a_products_file_and_no_more(engine: Engine) -> None:
    client = client_of(console_app(engine), "engineer")
    client.post("/products", data={"product": "cable"})
    text = "# " + "ä" * 150_000
    sent = client.post("/products/cable/file", data={"seen": "old", "text": text})
    assert (sent.status_code, "no table of keys" in sent.text) == (400, True), "it was read"
    long = client.post("/products/cable/file", content=b"a" * (KNOWN_BYTES + 1), headers=FORM)
    assert (long.status_code, "2048 KB" in long.text) == (413, True)


def test_only_routes_that_read_for_themselves_are_left_out(engine: Engine) -> None:
    """FastAPI reads no body of theirs before the role is checked."""
    paths = {
        re.sub(r"\{[^}]*\}", "x", route.path): route
        for route in every_route(console_app(engine))
        if "POST" in route.methods
    }
    own = {path for path in paths if OWN_READERS.fullmatch(path)}
    assert own == {"/api/v1/inspections", "/products/x/pictures", "/review/labels"}
    assert not [path for path in own if paths[path].body_field is not None]


def test_labels_are_read_only_of_those_who_may_bring_some(engine: Engine) -> None:
    app = console_app(engine)
    many = {"file": ("labels.json", b"[" + b" " * 200_000 + b"]", "application/json")}
    assert client_of(app).post("/review/labels?product=cable", files=many).status_code == 303
    viewer = client_of(app, "viewer").post("/review/labels?product=cable", files=many)
    assert viewer.status_code == 403
