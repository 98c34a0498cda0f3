"""The console's own time: every page on 10 million pictures, then with a whole plant looking on.

`linewatch console` serves a database with 400 days' history (`benchmarks/history`). What counts is
the time that the server says it took (`Server-Timing`), since people, their browsers and the
generator of load are on the same two cores. A page is asked for seven times; its time is the
median of those after the first. Then 50 people ask for a page each 5 s and decide a part each 10 s
while 20 walls watch the lines, and the 95th percentile is taken over all they asked for. Of a
hundred pages they ask for, 60 are an inspector's (lines, review, parts), 25 of those who keep the
line running (queue, alerts, models, products, people), and 15 reports and charts; every address is
asked for (`benchmarks/console_crowd.py`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from urllib.parse import quote

import httpx
from sqlalchemy import Engine, select

from benchmarks.console_crowd import MIX, Seen, crowd, own_ms
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


def run(workplace: Workplace, *, quick: bool) -> Findings:
    """Measure on PostgreSQL."""
    url = filled(workplace, quick=quick)
    load = {"people": _PEOPLE, "walls": _WALLS, "of_a_hundred_pages": dict(MIX)}
    findings = Findings({"history": about(url), **load})
    settings = workplace.settings("console", url, encoders="compact")
    engine = engine_for(url)
    _register(engine)
    with _served(settings) as address:
        token = _token(engine, "admin")
        with httpx.Client(base_url=address, cookies={COOKIE: token}, timeout=60) as client:
            pages = list(_pages(engine))
            for path in pages:
                findings.rows.append(_page(client, path))
        seconds = _QUICK_SECONDS if quick else _SECONDS
        say(f"{_PEOPLE} people and {_WALLS} walls for {seconds:.0f} s")
        seen = _crowd(address, engine, pages, scaled(round(seconds), least=15))
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
        "addresses_not_asked_for": len(set(pages) - seen.asked),
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
    """The address of every page that a person can open, on what the history has.

    It has no dead letters and no pictures, hence not their pages.
    """
    c = table_of(Part).c
    query = select(c.product, c.serial, c.lot, c.line).where(c.serial != "", c.lot != "")
    with reading(engine) as connection:
        product, part, lot, line = connection.execute(query.limit(1)).one()
    yield from ("/", "/wall", "/review", f"/review?line={quote(line)}", "/queue", "/alerts")
    yield from ("/models", "/products", "/people", "/account")
    yield from (f"/products/{quote(product)}", f"/pick/{quote(product)}")
    yield f"/models/{quote(product)}-1"
    yield "/containment"
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
        times.append(own_ms(answer))
    row = {"page": path, "ms": quantile(times[1:] or times, 0.5), "first_ms": times[0]}
    return {**row, "kilobytes": round(len(answer.content) / 1000, 1)}


def _crowd(address: str, engine: Engine, pages: list[str], seconds: int) -> Seen:
    tokens = [_token(engine, "admin", f"bench-{n}") for n in range(_PEOPLE)]
    wall = _token(engine, "viewer")
    return asyncio.run(crowd(address, tokens, wall, _WALLS, pages, seconds))
