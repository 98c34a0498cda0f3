"""What a supervisor makes of a worker's heartbeats: pure rules, the caller brings the clock.

A watchdog inside a worker needs the interpreter to act. What holds the interpreter (a number with
a thousand million digits, a C function that hangs) holds the watchdog too; this one does not
share it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from workers.broker.deliveries import Load
from workers.health.shutdown import LONGEST_HANDBACK_S

PIPE = "LINEWATCH_HEARTBEAT_FD"  # in a worker's environment: where its heartbeats go


@dataclass(frozen=True, slots=True)
class Limits:
    """What a worker may take its time for, in seconds.

    Attributes:
        start_s: until its first heartbeat: imports, downloads, loading and compiling networks.
        silent_s: between two heartbeats.
        stall_s: holding messages without work while nothing moves.
        grace_s: from SIGTERM to SIGKILL.
    """

    start_s: float
    silent_s: float
    stall_s: float
    grace_s: float = LONGEST_HANDBACK_S


@dataclass(frozen=True, slots=True)
class Beat:
    """One heartbeat. `holding`: it waits for a database, a share or a model, as others would."""

    load: Load
    holding: bool = False

    def line(self) -> bytes:
        """As it goes through the pipe."""
        return json.dumps({**asdict(self.load), "holding": self.holding}).encode() + b"\n"

    @classmethod
    def parse(cls, line: bytes) -> Beat:
        """Back from the pipe.

        Raises:
            ValueError: it is no heartbeat.
        """
        try:
            fields = json.loads(line)
            holding = bool(fields.pop("holding"))
            return cls(Load(**{name: int(value) for name, value in fields.items()}), holding)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"no heartbeat: {line!r:.80}") from error


class Pulse:
    """One worker's heartbeats since it was started.

    Args:
        limits: how long it may take.
        now: the reading of the caller's clock at its start, in seconds.
    """

    def __init__(self, limits: Limits, now: float) -> None:
        self._limits = limits
        self._heard_at = self._moved_at = now
        self._beat: Beat | None = None

    def heard(self, beat: Beat, now: float) -> None:
        """It sent this."""
        before, self._beat, self._heard_at = self._beat, beat, now
        moved = before is None or (before.load.begun, before.load.ended) != (
            beat.load.begun,
            beat.load.ended,
        )
        if moved or beat.holding or not beat.load.without_work:
            self._moved_at = now

    def excuse(self, now: float) -> None:
        """It cannot send anything: somebody has stopped it."""
        self._heard_at = self._moved_at = now

    def complaint(self, now: float) -> str | None:
        """Why it should be ended; None while all is well."""
        silent_s, limits = now - self._heard_at, self._limits
        if self._beat is None:
            if silent_s < limits.start_s:
                return None
            return f"has not started within {silent_s:.0f} s"
        if silent_s >= limits.silent_s:
            return f"has been silent for {silent_s:.0f} s: something holds its interpreter"
        stalled_s = self._heard_at - self._moved_at
        if stalled_s >= limits.stall_s:
            held = self._beat.load.without_work
            return f"has held {held} messages without work for {stalled_s:.0f} s"
        return None
