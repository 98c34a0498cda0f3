"""Every page in plants of every kind: it answers, says something, and runs nobody's script."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from starlette.testclient import TestClient

from db.session import engine_for
from linewatch.settings import Settings
from tests.support import odd_plants
from tests.support.console import client_of, console_app
from tests.support.every_page import Things, every_path, query

Plant = Callable[[Engine, Path], Things]
LONGEST_S = 5.0  # of processor time
PATIENCE_S = 60.0  # with what the database does, on a busy machine
LARGEST = 3_000_000  # bytes
_MAIN = re.compile(r"<main.*</main>", re.DOTALL)
PLANTS: dict[str, Plant] = {
    "empty": odd_plants.empty,
    "one part": odd_plants.one_part,
    "no labels": odd_plants.without_labels,
    "purged": odd_plants.purged,
    "ten thousand classes": odd_plants.many_classes,
    "hostile names": odd_plants.named(odd_plants.XSS),
    "long names": odd_plants.named("x" * 4096),
}
SLOW = ("ten thousand classes", "long names")
RANGES = {
    "future": {"since": "2999-01-01", "until": "2999-02-01"},
    "backwards": {"since": "2026-03-02", "until": "2026-03-01"},
    "endless": {"since": "0001-01-01", "until": "9999-12-31"},
    "nonsense": {"since": odd_plants.XSS, "until": "yesterday-ish"},
    "nul": dict.fromkeys(("since", "until", "after", "by", "state"), "\0"),
    "names of nul": dict.fromkeys(("product", "line", "lot", "class", "q", "version"), "\0"),
}


@pytest.fixture
def site(sqlite_url: str, make_settings: Callable[..., Settings]) -> Engine:
    make_settings(redis_url="redis://127.0.0.1:1/0")
    return engine_for(sqlite_url)


@pytest.fixture
def either(database_url: str, make_settings: Callable[..., Settings]) -> Engine:
    """The databases differ in what they refuse of a query."""
    make_settings(redis_url="redis://127.0.0.1:1/0")
    return engine_for(database_url)


def addresses(things: Things, **more: str) -> Iterator[str]:
    """All pages and their JSON, as they are and narrowed to what `things` names."""
    for paths in every_path(things):
        for path in paths:
            if not more:
                yield path
            yield f"{path}?{query(things, **more)}"


def looked_at(client: TestClient, address: str) -> list[str]:
    """What is wrong with the answer."""
    began, computed = time.monotonic(), time.process_time()
    answer = client.get(address)
    took, computed = time.monotonic() - began, time.process_time() - computed
    wrong = []
    if computed > LONGEST_S or took > PATIENCE_S:
        wrong.append(f"{took:.1f} s, {computed:.1f} s of them computing")
    if len(answer.content) > LARGEST:
        wrong.append(f"{len(answer.content)} bytes")
    if answer.status_code not in (200, 400, 404, 422):
        wrong.append(f"status {answer.status_code}")
    if not address.startswith("/api/"):
        wrong += _page(answer.text)
    elif answer.status_code != 200 and not answer.json().get("detail"):
        wrong.append("no reason")
    return [f"{address[:150]}: {each}" for each in wrong]


def _page(text: str) -> Iterator[str]:
    if "<script>document" in text or "<img src=x" in text:
        yield "a name became markup"
    found = _MAIN.search(text)
    if found is None or len(re.sub(r"<[^>]*>|\s", "", found[0])) < 20:
        yield "says nothing"


@pytest.mark.parametrize(
    "plant",
    [pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in PLANTS],
)
def test_every_page_answers(plant: str, site: Engine, tmp_path: Path) -> None:
    things = PLANTS[plant](site, tmp_path)
    client = client_of(console_app(site), "admin")
    wrong = [each for address in addresses(things) for each in looked_at(client, address)]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("asked", RANGES)
def test_every_page_answers_to_odd_ranges(asked: str, either: Engine, tmp_path: Path) -> None:
    things = odd_plants.one_part(either, tmp_path)
    client = client_of(console_app(either), "admin")
    found = addresses(things, **RANGES[asked])
    wrong = [each for address in found for each in looked_at(client, address)]
    assert not wrong, "\n".join(wrong)
