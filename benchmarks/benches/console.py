"""The console's own time: every page on 10 million pictures, then with a whole plant looking on.

`linewatch console` serves a database with 400 days' history (`benchmarks/history`). What counts is
the time that the server says it took (`Server-Timing`), since people, their browsers and the
generator of load are on the same two cores. A page is asked for seven times; its time is the
median of those after the first. Then 50 people ask for a page each 5 s and decide a part each 10 s
while 20 walls watch the lines, and the 95th percentile is taken over all they asked for.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
from sqlalchemy import Engine, select

from benchmarks.history.databases import about, filled
from benchmarks.paired import quantile
from benchmarks.report import Findings
from benchmarks.scale import scaled
from benchmarks.workplace import Workplace, child_environment, say
from console.access.visitor import COOKIE
from db import products
from db.base import table_of
from db.people import sessions, users
from db.session import engine_for, reading, transaction
from db.tables import Part
from linewatch.plant import console_answers
from linewatch.products import parse_product
from linewatch.services import ServiceGroup, free_port, python_command
from linewatch.settings import Settings

_TIMES = 7
_PEOPLE, _WALLS = 50, 20
_SECONDS, _QUICK_SECONDS = 60.0, 20.0
_PAGE_EACH_S, _DECISION_EACH_S = 5.0, 10.0
_TIMING = re.compile(r"app;dur=([\d.]+)")
_OWN_SITE = {"sec-fetch-site": "same-origin"}


@dataclass(slots=True)
class Seen:
    """What was asked for under load: by kind, the server's own time in ms; and what was refused."""

    page_ms: list[float] = field(default_factory=list)
    decision_ms: list[float] = field(default_factory=list)
    events: int = 0
    refused: list[str] = field(default_factory=list)


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Measure on PostgreSQL."""
    url = filled(workplace, quick=quick)
    findings = Findings({"history": about(url), "people": _PEOPLE, "walls": _WALLS})
    settings = workplace.settings("console", url, encoders="compact")
    engine = engine_for(url)
    _register(engine)
    with _served(settings) as address:
        token = _token(engine, "admin")
        with httpx.Client(base_url=address, cookies={COOKIE: token}, timeout=60) as client:
            for path in _pages(engine):
                findings.rows.append(_page(client, path))
        seconds = _QUICK_SECONDS if quick else _SECONDS
        say(f"{_PEOPLE} people and {_WALLS} walls for {seconds:.0f} s")
        seen = asyncio.run(_crowd(address, engine, scaled(round(seconds), least=15)))
    every = seen.page_ms + seen.decision_ms
    findings.settings["seconds_of_load"] = seconds
    findings.ratios = {
        "slowest_page_ms": max(row["ms"] for row in findings.rows),
        "crowd_p50_ms": quantile(every, 0.5),
        "crowd_p95_ms": quantile(every, 0.95),
        "decision_p95_ms": quantile(seen.decision_ms, 0.95) if seen.decision_ms else None,
        "pages": len(seen.page_ms),
        "decisions": len(seen.decision_ms),
        "events": seen.events,
        "refused": len(seen.refused),
    }
    if seen.refused:
        findings.settings["refused"] = sorted(set(seen.refused))[:10]
    return findings


def _register(engine: Engine) -> None:
    """Say what the history's products are, which it leaves open; `/review` asks for it."""
    classes = [{"code": "good", "good": True}, *({"code": f"defect-{n}"} for n in range(1, 9))]
    with transaction(engine) as connection:
        for number in range(3):
            said = {"product": f"product-{number}", "classes": classes}
            products.register(connection, parse_product(said, "a benchmark"))


@contextmanager
def _served(settings: Settings) -> Iterator[str]:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with ServiceGroup(settings.data_dir / "logs", child_environment(settings)) as group:
        group.start("console", python_command("linewatch", "console", "--port", str(port)))
        group.wait_until("the console", lambda: console_answers(address), 60)
        yield address


def _token(engine: Engine, role: str, name: str | None = None) -> str:
    name = name or f"bench-{role}"
    with transaction(engine) as connection:
        if users.named(engine, name) is None:
            users.add(connection, name, role, password_hash=None, by="bench")
        return sessions.begin(connection, name, lasts=timedelta(hours=2), agent="bench")


def _pages(engine: Engine) -> Iterator[str]:
    """The address of every page that a person can open, on what the history has."""
    c = table_of(Part).c
    query = select(c.product, c.serial, c.lot, c.line).where(c.serial != "", c.lot != "")
    with reading(engine) as connection:
        product, part, lot, line = connection.execute(query.limit(1)).one()
    yield from ("/", "/wall", "/review", f"/review?line={quote(line)}", "/queue", "/alerts")
    yield from ("/models", "/products", "/people", "/account")
    yield f"/parts?q={quote(part[:4])}"
    yield f"/parts/{quote(product)}/{quote(part)}"
    yield f"/charts?product={quote(product)}"
    yield f"/charts?product={quote(product)}&since=28d&by=hour"
    yield "/reports"
    for name in ("defect-rate", "first-pass", "pareto", "trend", "versions", "label-verdict"):
        for since in ("1d", "30d", "400d"):
            yield f"/reports/{name}?since={since}"
    for name in ("audit", "backlog", "label-progress", "rejected", "flow", "pictures"):
        yield f"/reports/{name}"
    yield f"/reports/lot?lot={quote(lot)}"
    yield "/reports/parts?since=400d"
    yield f"/reports/parts?line={quote(line)}&disposition=nonconforming"


def _page(client: httpx.Client, path: str) -> dict[str, Any]:
    times = []
    for _ in range(scaled(_TIMES)):
        answer = client.get(path)
        answer.raise_for_status()
        times.append(_own_ms(answer))
    row = {"page": path, "ms": quantile(times[1:] or times, 0.5), "first_ms": times[0]}
    return {**row, "kilobytes": round(len(answer.content) / 1000, 1)}


def _own_ms(answer: httpx.Response) -> float:
    found = _TIMING.search(answer.headers["server-timing"])
    assert found is not None
    return float(found[1])


async def _crowd(address: str, engine: Engine, seconds: int) -> Seen:
    """People and walls, until so many seconds are over."""
    pages = list(_pages(engine))
    tokens = [_token(engine, "admin", f"bench-{n}") for n in range(_PEOPLE)]
    wall = _token(engine, "viewer")
    seen, until = Seen(), time.monotonic() + seconds
    async with asyncio.TaskGroup() as group:
        for number, token in enumerate(tokens):
            group.create_task(_person(address, token, pages, number, seen, until))
        for _ in range(_WALLS):
            group.create_task(_wall(address, wall, seen, until))
    return seen


async def _person(
    address: str, token: str, pages: list[str], number: int, seen: Seen, until: float
) -> None:
    rng = random.Random(number)
    cookies = {COOKIE: token}
    async with httpx.AsyncClient(
        base_url=address, cookies=cookies, headers=_OWN_SITE, timeout=60
    ) as client:
        await asyncio.sleep(rng.uniform(0, _PAGE_EACH_S))
        decide_at = time.monotonic() + rng.uniform(0, _DECISION_EACH_S)
        while time.monotonic() < until:
            began = time.monotonic()
            answer = await client.get(rng.choice(pages))
            _note(answer, seen.page_ms, seen)
            if began >= decide_at:
                decide_at += _DECISION_EACH_S
                await _decide(client, seen)
            await asyncio.sleep(max(0.0, _PAGE_EACH_S - (time.monotonic() - began)))


async def _decide(client: httpx.AsyncClient, seen: Seen) -> None:
    """Decide the part that the page shows, as its keys do."""
    page = (await client.get("/api/v1/review")).json()
    if not page["parts"] or not page["classes"]:
        return
    part, classes = page["parts"][0], page["classes"]
    word = {"key": part["key"], "revision": part["revision"], "said": classes[0]["code"]}
    answer = await client.post("/api/v1/review", json=word)
    if answer.status_code == 409:  # another was faster, which the page says
        return
    _note(answer, seen.decision_ms, seen)


def _note(answer: httpx.Response, times: list[float], seen: Seen) -> None:
    if answer.is_success:
        times.append(_own_ms(answer))
    else:
        seen.refused.append(f"{answer.status_code} {answer.request.url.path}")


async def _wall(address: str, token: str, seen: Seen, until: float) -> None:
    cookies = {COOKIE: token}
    async with (
        httpx.AsyncClient(base_url=address, cookies=cookies, timeout=60) as client,
        client.stream("GET", "/lines/stream?wall=true") as stream,
    ):
        async for line in stream.aiter_lines():
            seen.events += line.startswith("data:")
            if time.monotonic() > until:
                return
