"""However many watch, one looks."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pytest

from console.live import Broadcast, Shared

T = TypeVar("T")


def _run(what: Coroutine[Any, Any, T]) -> T:
    """In a thread: Playwright keeps a loop running in that of browser tests."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, what).result()


def test_many_who_ask_at_once_share_a_look() -> None:
    taken: list[int] = []

    def look() -> int:
        time.sleep(0.02)
        taken.append(1)
        return len(taken)

    shared = Shared(look, fresh_s=60)
    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(lambda _: shared.now(), range(40))) == {1}
    assert Shared(look, fresh_s=0).now() == 2


def test_a_look_that_fails_is_not_kept() -> None:
    answers = iter([ValueError("away"), 7])

    def look() -> int:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    shared = Shared(look)
    with pytest.raises(ValueError, match="away"):
        shared.now()
    assert shared.now() == 7


def test_twenty_walls_are_one_poller() -> None:
    threads: set[str] = set()

    def look() -> int:
        threads.add(threading.current_thread().name)
        return 1

    async def one(broadcast: Broadcast[int]) -> list[int | None]:
        seen = []
        watching = broadcast.watch()
        async for each in watching:
            seen.append(each)
            if len(seen) == 3:
                break
        await watching.aclose()
        return seen

    async def main() -> None:
        broadcast = Broadcast(look, period_s=0.02)
        found = await asyncio.gather(*(one(broadcast) for _ in range(20)))
        assert found == [[1, 1, 1]] * 20
        assert broadcast.looks <= 5
        assert broadcast.watchers == 0
        looks = broadcast.looks
        await asyncio.sleep(0.1)  # nobody watches: it looks no more
        assert broadcast.looks <= looks + 1

    _run(main())


def test_a_look_that_fails_is_told() -> None:
    answers = [1, 1]

    def look() -> int:
        if not answers:
            raise OSError("the database is away")
        return answers.pop()

    async def main() -> list[int | None]:
        seen: list[int | None] = []
        async for each in Broadcast(look, period_s=0.01).watch():
            seen.append(each)
            if len(seen) == 3:
                break
        return seen

    assert _run(main()) == [1, 1, None]
