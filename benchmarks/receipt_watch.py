"""When each picture was committed: the moment its receipt reached Redis, by Redis' own clock.

A worker pushes the receipt right after its commit, so this is the commit's time and a round trip
to Redis on the same machine. Redis' MONITOR shows it without taking the receipt from the camera.
"""

from __future__ import annotations

import re
from threading import Thread
from uuid import UUID

import redis

_ID = re.compile(r'\\?"id\\?":\s*\\?"([0-9a-f-]{36})')


class ReceiptWatch:
    """Watches one Redis while a block runs."""

    def __init__(self, url: str) -> None:
        self._client = redis.Redis.from_url(url)
        self._thread = Thread(target=self._run, daemon=True)
        self._ended = False
        self.committed: dict[UUID, float] = {}  # id to seconds on the wall clock

    def __enter__(self) -> ReceiptWatch:
        self._monitor = self._client.monitor()
        self._monitor.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._client.echo("the end")  # wakes the thread
        self._thread.join(timeout=5)
        self._monitor.__exit__(None, None, None)

    def _run(self) -> None:
        while not self._ended:
            seen = self._monitor.next_command()
            if seen["command"].upper().startswith("RPUSH"):
                for id_ in ids_in(seen["command"]):
                    self.committed.setdefault(id_, seen["time"])


def ids_in(command: str) -> list[UUID]:
    """The pictures whose receipts a command pushes."""
    return [UUID(found) for found in _ID.findall(command)]
