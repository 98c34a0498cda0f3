"""A set that cannot grow for ever: of what senders name, a worker remembers the newest."""

from __future__ import annotations

from threading import Lock


class Recent:
    """The texts that were added last. Safe to use from many threads.

    Args:
        most: how many are kept; of more, those added longest ago are forgotten.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = Lock()
        self._texts: dict[str, None] = {}

    def __contains__(self, text: object) -> bool:
        return text in self._texts

    def __len__(self) -> int:
        return len(self._texts)

    def add(self, text: str) -> None:
        """Remember it, as the newest."""
        with self._lock:
            self._texts.pop(text, None)
            self._texts[text] = None
            if len(self._texts) > self._most:
                del self._texts[next(iter(self._texts))]

    def discard(self, text: str) -> None:
        """Forget it, if it is remembered."""
        with self._lock:
            self._texts.pop(text, None)
