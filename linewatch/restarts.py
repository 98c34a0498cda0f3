"""When a program that ended is started again: one rule for every supervisor here."""

from __future__ import annotations

from linewatch.errors import EXIT_MISTAKE

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
STEADY_AFTER_S = 60.0  # a program that ran this long was well: the next pause is short again


class Restarts:
    """The pauses of one program: they double, up to half a minute.

    A program that says by its exit code that a person must mend something, and has never run well,
    is not started again: it would say the same for ever. One that ran well before is: what it
    misses, such as a GPU that is being reset, was there and may come back.
    """

    def __init__(self) -> None:
        self._pause_s = FIRST_PAUSE_S
        self._was_well = False

    def after(self, code: int, ran_s: float) -> float | None:
        """How long to wait, in seconds, after it ended with `code`; None: it stays ended."""
        if ran_s > STEADY_AFTER_S:
            self._was_well = True
            self._pause_s = FIRST_PAUSE_S
        if code == EXIT_MISTAKE and not self._was_well:
            return None
        pause_s = self._pause_s
        self._pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
        return pause_s
