"""A thread of the dispatcher: it runs until it is asked to stop, and can be waited for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from threading import Event, Thread


class StoppableThread(ABC):
    """What `_run` does goes on until `_stopping` is set; it ends with the process at the latest."""

    def __init__(self, name: str) -> None:
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """End after what is being done; `join` waits for it."""
        self._stopping.set()

    def join(self, timeout_s: float) -> bool:
        """Wait for the end; False: it hangs, and ends with the process."""
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @abstractmethod
    def _run(self) -> None:
        """Until `_stopping` is set."""
