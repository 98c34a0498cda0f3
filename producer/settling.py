"""When is a file complete? When nobody has changed it for a while, or it was renamed into place."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from producer.ledger import SeenFile

_EMPTY_PATIENCE = 20  # an empty file is most likely one that nobody has written into yet


@dataclass(slots=True)
class _Candidate:
    file: SeenFile
    since: float
    complete: bool


class Settling:
    """Files that were seen and are not handed over yet.

    Args:
        settle_s: how long size and modification time must stay the same.
        clock: seconds that only go forward.
    """

    def __init__(self, settle_s: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._settle_s = settle_s
        self._clock = clock
        self._candidates: dict[Path, _Candidate] = {}

    def look(self, path: Path, complete: bool = False) -> None:
        """Note the file's state; `complete` says that it needs no waiting."""
        try:
            file = SeenFile.look(path)
        except OSError:  # gone again
            self._candidates.pop(path, None)
            return
        known = self._candidates.get(path)
        if known is None or known.file != file:
            known = self._candidates[path] = _Candidate(file, self._clock(), complete=False)
        known.complete = known.complete or complete

    def complete(self) -> list[SeenFile]:
        """The files that are complete now, in order of modification time."""
        for path, candidate in list(self._candidates.items()):
            if self._is_old_enough(candidate):
                self.look(path)  # a write since the last look begins the wait anew
        ready = [c.file for c in self._candidates.values() if c.complete or self._is_old_enough(c)]
        return sorted(ready, key=lambda file: (file.mtime_ns, file.path))

    def done(self, file: SeenFile) -> None:
        """Forget a file that was handed over."""
        self._candidates.pop(file.path, None)

    def _is_old_enough(self, candidate: _Candidate) -> bool:
        patience = 1 if candidate.file.size else _EMPTY_PATIENCE
        return self._clock() - candidate.since >= self._settle_s * patience
