"""What a training run is at: noted by whoever computes, told by whoever watches. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from linewatch.errors import TrainingError

Stage = tuple[str, float]  # what it is at, in words, and how far it has come (0 to 1)
Told = Callable[[str, float], None]


@dataclass(slots=True, eq=False)
class Progress:
    """The stage of a run, in memory alone.

    One thread notes, and others may read: words and share are replaced together.

    Attributes:
        now: the stage.
        tell: is told of each later one at once, on the thread that notes; or None.
    """

    now: Stage
    tell: Told | None = None
    _stopped: TrainingError | None = field(default=None, init=False)

    def note(self, stage: str, share: float) -> None:
        """Say what it is at.

        Raises:
            TrainingError: the run was stopped.
        """
        if self._stopped is not None:
            raise self._stopped
        self.now = (stage, share)
        if self.tell is not None:
            self.tell(stage, share)

    def stop(self, reason: TrainingError) -> None:
        """Let the next note raise `reason`: what is computed is of no use any more."""
        self._stopped = reason
