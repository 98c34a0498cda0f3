"""A thread of the dispatcher: it runs until it is asked to stop, and can be waited for."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from threading import Event, Thread

log = logging.getLogger(__name__)
AGAIN_S = 1.0


class StoppableThread(ABC):
    """What `_run` does goes on until `_stopping` is set; it ends with the process at the latest.

    What `_run` did not foresee is logged, and it begins anew: a line waits for what it does.
    """

    def __init__(self, name: str) -> None:
        self._stopping = Event()
        self._thread = Thread(target=self._lasting, name=name, daemon=True)

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

    def _lasting(self) -> None:
        while not self._stopping.is_set():
            try:
                self._run()
            except Exception:
                log.exception("%s: begins anew", self._thread.name)
                self._stopping.wait(AGAIN_S)

    @abstractmethod
    def _run(self) -> None:
        """Until `_stopping` is set."""
