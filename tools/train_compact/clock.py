"""A training run's length, checkpoints and progress."""

from __future__ import annotations

import math
import time
from pathlib import Path
from typing import Any

from tools.train_compact import checkpoint

_REPORT = 20  # steps
_LONGEST_STEP_S = 5.0  # what goes beyond is a pause of the process, and no work


class Clock:
    """Counts a run in minutes of work, over all of its interruptions.

    Args:
        minutes: how long the run is; the learning rate follows it.
        path: where the run's state is kept. Where it exists, the run goes on from there.
        parts: what has a `state_dict`, by name.
        every_s: seconds between two checkpoints.
    """

    def __init__(
        self, minutes: float, path: Path, parts: dict[str, Any], every_s: float = 60.0
    ) -> None:
        self._total, self._path, self._parts, self._every_s = 60 * minutes, path, parts, every_s
        self._done, self.step = 0.0, 0
        if path.exists():
            saved = checkpoint.load(path)
            self._done, self.step = saved["seconds"], saved["step"]
            for name, part in parts.items():
                part.load_state_dict(saved[name])
        self._ticked = self._saved = time.monotonic()
        self._sums: dict[str, float] = {}

    @property
    def seconds(self) -> float:
        """Worked so far."""
        return self._done

    @property
    def progress(self) -> float:
        """The share of the run that is done, 0 to 1."""
        return min(1.0, self.seconds / self._total)

    @property
    def rate(self) -> float:
        """The learning rate as a share of its peak: a short warm-up, then half a cosine."""
        return min(1.0, (self.step + 1) / 60, 0.5 * (1 + math.cos(math.pi * self.progress)) + 0.005)

    def tick(self, **figures: float) -> bool:
        """Count a step, report and save now and then; whether the run goes on."""
        self.step += 1
        now = time.monotonic()
        self._done += min(now - self._ticked, _LONGEST_STEP_S)
        self._ticked = now
        over = self.progress >= 1
        for name, value in figures.items():
            self._sums[name] = self._sums.get(name, 0.0) + value / _REPORT
        if self.step % _REPORT == 0:
            told = " ".join(f"{name} {value:.3f}" for name, value in self._sums.items())
            print(
                f"step {self.step}  {self.progress:6.1%}  {self.seconds:.0f} s  {told}", flush=True
            )
            self._sums.clear()
        if over or time.monotonic() - self._saved > self._every_s:
            self._save()
        return not over

    def _save(self) -> None:
        state = {name: part.state_dict() for name, part in self._parts.items()}
        checkpoint.save({"seconds": self.seconds, "step": self.step, **state}, self._path)
        self._saved = time.monotonic()
