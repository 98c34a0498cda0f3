"""How far the clock of Redis is ahead of this PC's, and what each camera's sender noted of it.

Redis's clock is the one that all have in common: what cameras say of time to each other is in it.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import redis

CLOCKS = "linewatch:clocks"  # a hash: producer id to what `noted` writes


@dataclass(frozen=True, slots=True)
class ClockSkew:
    """A measurement: `ahead_s` is how far a clock is ahead of ours, wrong by `error_s` at most."""

    ahead_s: float
    error_s: float

    @classmethod
    def between(cls, asked_s: float, took_s: float, there_s: float) -> ClockSkew:
        """From one question, by Cristian's method (Distributed Computing 3, 1989, p. 146).

        The answer was given at some moment of the round trip, so most likely in its middle.

        Args:
            asked_s: when it was asked, by this PC's clock, in seconds since 1970.
            took_s: how long the answer took.
            there_s: the answer.
        """
        return cls(there_s - (asked_s + took_s / 2), took_s / 2)

    @classmethod
    def measured(cls, ask: Callable[[], float]) -> ClockSkew:
        """By asking a clock what time it is, in seconds since 1970.

        It is asked twice: the first time takes what it takes to connect.
        """
        ask()
        asked_s, began_s = time.time(), time.monotonic()
        there_s = ask()
        return cls.between(asked_s, time.monotonic() - began_s, there_s)


@dataclass(frozen=True, slots=True)
class CameraClock:
    """What a camera's sender noted: `ahead_s` is how far its PC is ahead of Redis, at `at_s`."""

    producer: str
    line: str
    camera: str
    ahead_s: float
    error_s: float
    at_s: float


def noted(skew: ClockSkew, line: str, camera: str) -> str:
    """A measurement as it is noted in Redis."""
    return json.dumps(
        {
            "line": line,
            "camera": camera,
            "ahead_s": round(-skew.ahead_s, 3),
            "error_s": round(skew.error_s, 3),
            "at": round(time.time() + skew.ahead_s, 3),
        }
    )


def camera_clocks(client: redis.Redis) -> list[CameraClock]:
    """What the senders noted last, by line and camera; what cannot be read is left out.

    Raises:
        redis.RedisError: Redis does not answer.
    """
    found = (_read(producer, text) for producer, text in client.hgetall(CLOCKS).items())
    known = [clock for clock in found if clock is not None]
    return sorted(known, key=lambda clock: (clock.line, clock.camera, clock.producer))


def _read(producer: bytes | str, text: bytes | str) -> CameraClock | None:
    try:
        said = json.loads(text)
        figures = [float(said[name]) for name in ("ahead_s", "error_s", "at")]
        if not all(map(math.isfinite, figures)):
            return None
        by = producer.decode() if isinstance(producer, bytes) else producer
        names = by, str(said["line"])[:64], str(said["camera"])[:64]
        return CameraClock(*names, *figures)
    except (ValueError, TypeError, LookupError, RecursionError, OverflowError):
        return None
