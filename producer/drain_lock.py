"""One process drains a spool at a time; when it goes, however it goes, another may."""

from __future__ import annotations

from pathlib import Path

from filelock import FileLock, Timeout


class DrainLock:
    """A lock on `<spool>.lock` that the operating system frees when its process ends.

    `flock` on Linux and macOS, `LockFileEx` on Windows. Where a file system has neither, a file
    that names its process, which another process removes when that one is gone. A forked child
    does not hold its parent's lock.
    """

    def __init__(self, spool: Path) -> None:
        path = spool.with_name(spool.name + ".lock")
        self._lock = FileLock(path, timeout=0, mode=0o644, thread_local=False)

    def acquire(self) -> bool:
        """Take it if it is free; says whether it is ours."""
        if self._lock.is_locked:
            return True
        try:
            self._lock.acquire()
        except Timeout:
            return False
        return True

    def release(self) -> None:
        """Let it go."""
        self._lock.release(force=True)
