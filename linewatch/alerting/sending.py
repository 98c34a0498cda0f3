"""Sends messages through Apprise: mail, chat, webhook, whatever the address says."""

from __future__ import annotations

from collections.abc import Mapping
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
        return None if sent else "the address did not take it; see the notifier's log"

    def _notifier(self, address: str) -> Any:
        import apprise

        one = apprise.Apprise(asset=apprise.AppriseAsset(app_id="Linewatch", app_desc="Linewatch"))
        if not one.add(self._addresses.get(address, address)):
            raise AlertError(
                "an address is none that Apprise knows; see https://github.com/caronc/apprise, and "
                "try it with `linewatch alerts test`"
            )
        return one


def _kind(severity: str) -> str:
    return {"critical": "failure", "warning": "warning", "over": "success"}.get(severity, "info")
