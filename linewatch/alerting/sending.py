"""Sends messages through Apprise: mail, chat, webhook, whatever the address says."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from linewatch.alerting.messages import Message
from linewatch.errors import AlertError


class Sender:
    """Apprise with the addresses of LINEWATCH_ALERT_URLS.

    Args:
        addresses: URL by name; they hold secrets, and are never shown.
    """

    def __init__(self, addresses: Mapping[str, str]) -> None:
        self._addresses = addresses

    def send(self, to: str, message: Message) -> str | None:
        """Send to an address, or to the one of this name; returns why it failed, or None.

        Raises:
            AlertError: the address is none that Apprise knows.
        """
        notifier = self._notifier(to)
        try:
            sent = notifier.notify(
                title=message.title, body=message.body, notify_type=_kind(message.severity)
            )
        except Exception as error:  # a plug-in's; its words may hold the address
            return f"Apprise failed with {type(error).__name__}"
        # True, or an object that is as good as it.
        return None if sent else "the address did not take it; the log says why"

    def _notifier(self, address: str) -> Any:
        import apprise

        one = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Linewatch", app_desc="Linewatch"))
        with _unsaid():
            known = one.add(self._addresses.get(address, address))
        if not known:
            raise AlertError(
                "an address is none that Apprise knows; see https://github.com/caronc/apprise, and "
                "try it with `linewatch alerts test`"
            )
        return one


@contextmanager
def _unsaid() -> Iterator[None]:
    """Apprise logs an address of which it does not know the kind as it stands, password and all."""
    logger = logging.getLogger("apprise")
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = False


def _kind(severity: str) -> str:
    return {"critical": "failure", "warning": "warning", "over": "success"}.get(severity, "info")
