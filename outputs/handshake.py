"""The handshake between Linewatch and a PLC: which signals stand when. Pure: time is handed in.

One result is shown at a time. Four phases, as integrators know them from smart cameras:

1. Trigger Ready stands: nothing is shown, and the PLC's Acknowledge is low.
2. A result is shown: its data, OK or NG, and Results Ready. Trigger Ready falls.
3. The PLC raises Acknowledge: the result is delivered, and everything of it falls.
4. The PLC lowers Acknowledge: Trigger Ready stands again.

A result that nobody acknowledges within its time is withdrawn and Overrun stands, until a result is
acknowledged: it is the caller's to show it again, under the same sequence number.
"""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from outputs.signals import NO_SEQUENCE, ErrorCode, Shown, Signals

MAX_BEAT_S = 0.5  # a PLC calls its partner dead after one to two seconds: two missed beats at least


class Phase(StrEnum):
    """Where the handshake is."""

    STOPPED = "stopped"
    READY = "ready"
    SHOWN = "shown"
    RELEASING = "releasing"  # acknowledged or withdrawn; Acknowledge has to fall


class Handshake:
    """The state machine of one PLC. Not thread-safe; times are seconds of one monotonic clock."""

    def __init__(self, *, acknowledge_timeout_s: float, beat_s: float = 0.25) -> None:
        """Begin stopped: all low.

        Raises:
            ValueError: the beat is slower than 0.5 s, or there is no time to acknowledge.
        """
        if not 0 < beat_s <= MAX_BEAT_S:
            raise ValueError(f"a heart beats at least every {MAX_BEAT_S} s, not every {beat_s} s")
        if not acknowledge_timeout_s > 0:
            raise ValueError(f"the time to acknowledge is above 0 s, not {acknowledge_timeout_s} s")
        self._beat_s = beat_s
        self._timeout_s = acknowledge_timeout_s
        self._phase = Phase.STOPPED
        self._signals = Signals()
        self._acknowledge = False
        self._beaten_at = float("-inf")
        self._until_s = 0.0
        self._delivered = NO_SEQUENCE
        self.acknowledged = 0  # results, since the start
        self.withdrawn = 0

    @property
    def signals(self) -> Signals:
        """What stands now."""
        return self._signals

    @property
    def phase(self) -> Phase:
        """Where the handshake is."""
        return self._phase

    @property
    def delivered(self) -> int:
        """The sequence number acknowledged last; 0 where none was since the start."""
        return self._delivered

    def start(self) -> None:
        """Healthy, with nothing shown; ready where Acknowledge is low."""
        self._signals = Signals(heartbeat=self._signals.heartbeat, healthy=True)
        self._settle()

    def stop(self) -> None:
        """All low, at once."""
        self._phase = Phase.STOPPED
        self._signals = Signals(heartbeat=self._signals.heartbeat)

    def offer(self, result: Shown, now_s: float) -> bool:
        """Show a result, if nothing is shown and Acknowledge is low.

        Args:
            result: what to show.
            now_s: from when on its time to acknowledge counts.

        Returns:
            Whether it is shown now. Where another is unread, Overrun stands and nothing is lost:
            the caller keeps the result.
        """
        if self._phase is Phase.SHOWN:
            self._signals = replace(self._signals, overrun=True)
        if self._phase is not Phase.READY:
            return False
        self._phase, self._until_s = Phase.SHOWN, now_s + self._timeout_s
        self._signals = replace(
            self._signals,
            trigger_ready=False,
            results_ready=True,
            ok=result.ok,
            ng=not result.ok,
            sequence=result.sequence,
            class_code=result.class_code,
            error=result.error,
            part=result.part,
        )
        return True

    def acknowledge(self, level: bool) -> None:
        """Acknowledge as the PLC holds it now; it was low when the result was shown."""
        self._acknowledge = level
        if level and self._phase is Phase.SHOWN:
            self._delivered = self._signals.sequence
            self.acknowledged += 1
            self._clear(overrun=False)
        elif self._phase in (Phase.READY, Phase.RELEASING):
            self._settle()

    def beat(self, now_s: float) -> None:
        """Count the heartbeat up when a beat is due."""
        if self._phase is not Phase.STOPPED and now_s - self._beaten_at >= self._beat_s:
            self._beaten_at = now_s
            self._signals = replace(self._signals, heartbeat=(self._signals.heartbeat + 1) % 2**16)

    def expire(self, now_s: float) -> bool:
        """Withdraw what was not acknowledged in time.

        Returns:
            Whether a result was withdrawn unread.
        """
        if self._phase is not Phase.SHOWN or now_s < self._until_s:
            return False
        self.withdrawn += 1
        self._clear(overrun=True, error=ErrorCode.NOT_ACKNOWLEDGED)
        return True

    def stuck(self) -> None:
        """Say that Acknowledge is held though nothing is shown; it is cleared when it falls."""
        if self._phase is Phase.RELEASING:
            self._signals = replace(self._signals, error=ErrorCode.ACKNOWLEDGE_STUCK)

    def _clear(self, *, overrun: bool, error: int = ErrorCode.NONE) -> None:
        """Everything of the result falls, in one step."""
        beat = self._signals.heartbeat
        self._signals = Signals(heartbeat=beat, healthy=True, overrun=overrun, error=error)
        self._settle()

    def _settle(self) -> None:
        """Ready, unless Acknowledge still has to fall."""
        self._phase = Phase.RELEASING if self._acknowledge else Phase.READY
        error = self._signals.error if self._signals.error != ErrorCode.ACKNOWLEDGE_STUCK else 0
        self._signals = replace(self._signals, trigger_ready=not self._acknowledge, error=error)
