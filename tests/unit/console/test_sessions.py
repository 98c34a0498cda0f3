"""The sessions of streams: one that began while all were asked about still stands."""

from __future__ import annotations

import asyncio
from threading import Event
from typing import Any, cast

import pytest

from console.pages.lines import sessions
from console.pages.lines.sessions import Sessions
from console.site import Site


class NoSite:
    engine = None


def test_a_session_that_began_during_the_question_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, go_on = Event(), Event()

    def standing(_engine: Any, wanted: set[str]) -> frozenset[str]:
        asked.set()
        assert go_on.wait(10)
        return frozenset(wanted - {"over"})

    monkeypatch.setattr(sessions, "standing", standing)

    async def scenario() -> tuple[bool, bool, bool]:
        streams = Sessions(cast(Site, NoSite()), period_s=60.0)
        async with streams.watching("old"), streams.watching("over"):
            question = asyncio.create_task(streams.stands("old"))
            assert await asyncio.to_thread(asked.wait, 10)
            async with streams.watching("new"):
                go_on.set()
                old = await question
                return old, await streams.stands("new"), await streams.stands("over")

    assert asyncio.run(scenario()) == (True, True, False)
