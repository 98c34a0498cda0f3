"""Calls back for each receipt, away from the sender's thread: a slow callback delays no picture."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable

from producer.inbox import Inbox, KeptReceipt

log = logging.getLogger(__name__)

_POLL_S = 0.05


class Listener:
    """A daemon thread that passes new receipts of a spool to `callback`, in order."""

    def __init__(
        self,
        inbox: Inbox,
        callback: Callable[[KeptReceipt], object],
        poll_s: float = _POLL_S,
    ) -> None:
        self._inbox = inbox
        self._poll_s = poll_s
        self._callback = callback
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="receipts", daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float = 5.0) -> None:
        """Pass on what is there, then end."""
        self._stop.set()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stop.wait(self._poll_s):
            self._pass_on()
        self._pass_on()

    def _pass_on(self) -> None:
        try:
            receipts = self._inbox.new()
        except sqlite3.Error as error:
            log.warning("receipts cannot be read from the spool: %s", error)
            return
        for receipt in receipts:
            try:
                self._callback(receipt)
            except Exception:
                log.exception("on_receipt failed for %s", receipt.id)
