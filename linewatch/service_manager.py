"""Tells systemd that a service is ready and alive: `Type=notify` and `WatchdogSec=` of its unit.

The protocol of sd_notify(3): datagrams to the socket that `NOTIFY_SOCKET` names.
"""

from __future__ import annotations

import contextlib
import os
import socket

SOCKET = "NOTIFY_SOCKET"
READY, ALIVE = "READY=1", "WATCHDOG=1"


def notify(*states: str) -> bool:
    """Send the states; returns whether somebody was told. Without systemd it does nothing."""
    path = os.environ.get(SOCKET, "")
    if not path.startswith(("/", "@")):
        return False
    address = "\0" + path[1:] if path.startswith("@") else path  # abstract
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.setblocking(False)
        sender.sendto("\n".join(states).encode(), address)
        return True
    return False
