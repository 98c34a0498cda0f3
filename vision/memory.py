"""The memory that all decoders of a process may hold at once."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition

from vision.headers.header import too_large

MEGABYTE = 1_000_000


class DecodeMemory:
    """A number of bytes that decoders take and give back. First come, first served.

    Who waits holds no bytes, and who holds bytes waits for nobody: no decoder can block another for
    longer than its own picture takes.

    Args:
        limit: bytes; a picture that needs more is refused.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._free = limit
        self._changed = Condition()
        self._waiting: deque[object] = deque()

    @property
    def held(self) -> int:
        """Bytes in flight."""
        return self.limit - self._free

    @property
    def waiting(self) -> int:
        """Decoders that wait for bytes."""
        return len(self._waiting)

    @contextmanager
    def reserve(self, need: int) -> Iterator[None]:
        """Hold `need` bytes; waits until they are free.

        Raises:
            Unjudgeable: too_large, for a picture that would not fit if it were alone.
        """
        if need > self.limit:
            detail = (
                f"decoding takes {-(-need // MEGABYTE)} MB; "
                f"LINEWATCH_DECODE_MEMORY_MB is {self.limit // MEGABYTE}"
            )
            raise too_large(detail)
        turn = object()
        with self._changed:
            self._waiting.append(turn)
            try:
                # In turn, or small pictures would keep a large one waiting for ever.
                self._changed.wait_for(lambda: self._waiting[0] is turn and need <= self._free)
                self._free -= need
            finally:
                self._waiting.remove(turn)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += need
                self._changed.notify_all()
