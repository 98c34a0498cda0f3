"""A plant's people at the console: what they look at, what they decide, and walls that look on.

What people look at is drawn from three groups, as a plant's people are divided: inspectors at their
parts, those who keep the line running, and those who read reports and charts. Within a group each
address comes as often as any other, from a shuffled deck, so that all are asked for.
"""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import httpx

from console.access.visitor import COOKIE

# Of a hundred pages that people ask for; which group a page is of says `group_of`.
MIX: Mapping[str, int] = {"inspectors": 60, "running": 25, "reports": 15}
PAGE_EACH_S, DECISION_EACH_S = 5.0, 10.0
_INSPECTORS = ("/review", "/parts")
_REPORTS = ("/reports", "/charts")
_TIMING = re.compile(r"app;dur=([\d.]+)")
_OWN_SITE = {"sec-fetch-site": "same-origin"}


@dataclass(slots=True)
class Seen:
    """What was asked for: by kind, the server's own time in ms; and what was refused."""

    page_ms: list[float] = field(default_factory=list)
    decision_ms: list[float] = field(default_factory=list)
    asked: set[str] = field(default_factory=set)
    events: int = 0
    refused: list[str] = field(default_factory=list)


class Deck:
    """Addresses in the order that people ask for them: by the mix, each of a group in turn.

    Args:
        pages: addresses.
        seed: of their order.
    """

    def __init__(self, pages: Sequence[str], seed: int = 0) -> None:
        self._rng = random.Random(seed)
        self._of = {name: [page for page in pages if group_of(page) == name] for name in MIX}
        self._left: dict[str, list[str]] = {name: [] for name in MIX}

    def draw(self) -> str:
        """The next one."""
        (group,) = self._rng.choices(list(MIX), weights=list(MIX.values()))
        if not self._left[group]:
            self._left[group] = self._rng.sample(self._of[group], len(self._of[group]))
        return self._left[group].pop()


def group_of(page: str) -> str:
    """Which people look at a page most: a name of `MIX`. The lines are everybody's first page."""
    if page == "/" or page.startswith(_INSPECTORS):
        return "inspectors"
    return "reports" if page.startswith(_REPORTS) else "running"


def own_ms(answer: httpx.Response) -> float:
    """The time that the server says it took, in ms."""
    found = _TIMING.search(answer.headers["server-timing"])
    assert found is not None
    return float(found[1])


async def crowd(
    address: str, tokens: Sequence[str], wall: str, walls: int, pages: Sequence[str], seconds: float
) -> Seen:
    """People and walls, until so many seconds are over.

    Args:
        address: of the console.
        tokens: of each person's session.
        wall: the token of the walls' session.
        walls: how many.
        pages: what people look at.
        seconds: how long.
    """
    seen, until, deck = Seen(), time.monotonic() + seconds, Deck(pages)
    async with asyncio.TaskGroup() as group:
        for number, token in enumerate(tokens):
            group.create_task(_person(address, token, deck, number, seen, until))
        for _ in range(walls):
            group.create_task(_wall(address, wall, seen, until))
    return seen


async def _person(
    address: str, token: str, deck: Deck, number: int, seen: Seen, until: float
) -> None:
    rng = random.Random(number)
    async with httpx.AsyncClient(
        base_url=address, cookies={COOKIE: token}, headers=_OWN_SITE, timeout=60
    ) as client:
        await asyncio.sleep(rng.uniform(0, PAGE_EACH_S))
        decide_at = time.monotonic() + rng.uniform(0, DECISION_EACH_S)
        while time.monotonic() < until:
            began, page = time.monotonic(), deck.draw()
            seen.asked.add(page)
            _note(await client.get(page), seen.page_ms, seen)
            if began >= decide_at:
                decide_at += DECISION_EACH_S
                await _decide(client, seen)
            await asyncio.sleep(max(0.0, PAGE_EACH_S - (time.monotonic() - began)))


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
        times.append(own_ms(answer))
    else:
        seen.refused.append(f"{answer.status_code} {answer.request.url.path}")


async def _wall(address: str, token: str, seen: Seen, until: float) -> None:
    async with (
        httpx.AsyncClient(base_url=address, cookies={COOKIE: token}, timeout=60) as client,
        client.stream("GET", "/lines/stream?wall=true") as stream,
    ):
        async for line in stream.aiter_lines():
            seen.events += line.startswith("data:")
            if time.monotonic() > until:
                return
