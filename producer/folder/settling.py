"""When may a file be handed over? When it rests, and looks whole or has rested for long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from producer.folder.wholeness import Examination, Patience, examine
from producer.ledger import SeenFile

_LOOK_AGAIN_S = 0.5  # content may come without a new size or time, on network folders


@dataclass(frozen=True, slots=True)
class Settled:
    """A file that may be handed over. `unfinished` says why it does not look whole, if so."""

    file: SeenFile
    live: bool
    unfinished: str = ""


@dataclass(slots=True)
class _Candidate:
    file: SeenFile
    since: float
    live: bool
    renamed: bool = False
    look_again: float = 0.0
    settled: Settled | None = None


class Settling:
    """Files that were seen and are not handed over yet.

    Args:
        patience: how long size and modification time must stay the same.
        clock: seconds that only go forward.
        examination: what a file that rests looks like.
    """

    def __init__(
        self,
        patience: Patience,
        clock: Callable[[], float] = time.monotonic,
        examination: Callable[[Path], Examination] = examine,
    ) -> None:
        self._patience = patience
        self._clock = clock
        self._examine = examination
        self._candidates: dict[Path, _Candidate] = {}

    def look(self, path: Path, *, renamed: bool = False, live: bool = True) -> None:
        """Note the file's state.

        Args:
            path: the file.
            renamed: it was renamed into place from an unfinished name.
            live: it came just now, and not from a backlog: it goes first.
        """
        try:
            file = SeenFile.look(path)
        except OSError:  # gone again
            self._candidates.pop(path, None)
            return
        known = self._candidates.get(path)
        if known is None or known.file != file:
            live = live or (known is not None and known.live)
            known = self._candidates[path] = _Candidate(file, self._clock(), live)
        known.live = known.live or live
        known.renamed = known.renamed or renamed

    def complete(self) -> Iterator[Settled]:
        """What may be handed over now: what is live first, then in order of modification time.

        Files are looked at as they are asked for: who stops early saves the rest.
        """
        waiting = sorted(
            self._candidates.values(), key=lambda c: (not c.live, c.file.mtime_ns, c.file.path)
        )
        for candidate in waiting:
            if settled := self._settled(candidate.file.path):
                yield settled

    def backlog(self) -> int:
        """How many files are not live and not done yet."""
        return sum(not candidate.live for candidate in self._candidates.values())

    def done(self, file: SeenFile) -> None:
        """Forget a file that was handed over."""
        self._candidates.pop(file.path, None)

    def _settled(self, path: Path) -> Settled | None:
        candidate = self._candidates[path]
        if not candidate.renamed and self._age_s(candidate) < self._patience.settle_s:
            return None
        examined = self._clock() < candidate.look_again
        if examined and not candidate.settled:
            return None
        self.look(path, live=False)  # a write since the last look begins the wait anew
        now = self._candidates.get(path)
        if now is not candidate or examined:
            return replace(now.settled, live=now.live) if now and now.settled else None
        candidate.look_again = self._clock() + _LOOK_AGAIN_S
        seen = self._examine(path)
        wait_s = self._patience.wait_s(seen, renamed=candidate.renamed)
        if self._age_s(candidate) >= wait_s:
            candidate.settled = Settled(candidate.file, candidate.live, seen.why)
        else:
            candidate.settled = None
        return candidate.settled

    def _age_s(self, candidate: _Candidate) -> float:
        return self._clock() - candidate.since
