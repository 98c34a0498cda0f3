"""Which workers answer, and what they say of themselves."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import redis
from kombu.exceptions import OperationalError

from linewatch.redis_access.client import quick_client
from linewatch.settings import Settings
from workers.app import make_app

log = logging.getLogger(__name__)

PERIOD_S = 10.0  # an answer is asked for again after so long
_WAIT_S = 1.0  # for answers


@dataclass(frozen=True, slots=True)
class FleetWorker:
    """A worker that answered.

    Attributes:
        name: as Celery has it; inspections carry the same.
        inspecting: it judges pictures; what follows is of those alone.
        models: product to version.
        trouble: why it takes nothing now; "" where it does.
    """

    name: str
    inspecting: bool
    device: str = ""
    encoders: str = ""
    models: Mapping[str, str] | None = None
    trouble: str = ""

    @classmethod
    def parse(cls, name: str, stats: Mapping[str, Any]) -> FleetWorker:
        """From its answer to `stats`."""
        said = stats.get("linewatch")
        if not isinstance(said, Mapping):
            return cls(name, inspecting=False)
        trouble = str(said.get("idle_reason") or "")
        if said.get("holding"):
            trouble = "the database is away; verdicts are held"
        elif said.get("share_hangs"):
            trouble = "no picture's file can be read; its server is away"
        models = said.get("models")
        return cls(
            name,
            True,
            str(said.get("device", "")),
            str(said.get("encoders", "")),
            dict(models) if isinstance(models, Mapping) else {},
            trouble,
        )


def ask(settings: Settings) -> list[FleetWorker] | None:
    """Ask every worker, for a second; None where Redis does not answer."""
    try:
        with quick_client(settings) as client:
            client.ping()  # kombu would try for long
        replies = make_app(settings).control.inspect(timeout=_WAIT_S).stats() or {}
    except (redis.RedisError, OperationalError, OSError) as error:
        log.debug("workers not asked: %s", error)
        return None
    return [FleetWorker.parse(name, stats) for name, stats in sorted(replies.items())]


class Fleet:
    """What the workers said last; asks them in a thread of its own, only while somebody looks."""

    def __init__(self, settings: Settings, period_s: float = PERIOD_S) -> None:
        self._settings, self._period_s = settings, period_s
        self._lock = threading.Lock()
        self._asking = False
        self._asked_at: float | None = None
        self._known: list[FleetWorker] | None = None

    @property
    def asked(self) -> bool:
        """Whether any answer is there, or none came."""
        return self._asked_at is not None

    def latest(self) -> list[FleetWorker] | None:
        """What they said last, at once; None: they were not asked yet, or Redis is away."""
        with self._lock:
            due = self._asked_at is None or time.monotonic() - self._asked_at > self._period_s
            if due and not self._asking:
                self._asking = True
                threading.Thread(target=self._ask, name="fleet", daemon=True).start()
            return self._known

    def _ask(self) -> None:
        known: list[FleetWorker] | None = None
        try:
            known = ask(self._settings)
        except Exception:  # a thread nobody waits for
            log.exception("workers not asked")
        finally:
            with self._lock:
                self._known, self._asked_at, self._asking = known, time.monotonic(), False
