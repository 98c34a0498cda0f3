"""One process drains a spool at a time; when it goes, however it goes, another may."""

from __future__ import annotations

import fcntl
import os
import weakref
from pathlib import Path

_held: weakref.WeakSet[DrainLock] = weakref.WeakSet()


class DrainLock:
    """An advisory lock on `<spool>.lock` that the kernel frees when its process ends."""

    def __init__(self, spool: Path) -> None:
        self._path = spool.with_name(spool.name + ".lock")
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Take it if it is free; says whether it is ours."""
        if self._descriptor is not None:
            return True
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        _held.add(self)
        return True

    def release(self) -> None:
        """Let it go."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
            _held.discard(self)


def _forget_in_child() -> None:
    for lock in list(_held):  # or a forked child would hold its parent's lock beyond its end
        lock.release()


os.register_at_fork(after_in_child=_forget_in_child)
