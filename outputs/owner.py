"""Who a dispatcher is to others, and which of them have ended."""

from __future__ import annotations

import os
import secrets
import socket
from typing import ClassVar

from sqlalchemy import Connection

from db.outbox.cursors import owners


class Owner:
    """This process, as the holder of leases: `HOST:PID:TOKEN`.

    A dispatcher that was killed on this machine cannot renew its leases and need not be waited
    for. One on another machine is over when they run out.
    """

    _here: ClassVar[set[str]] = set()  # of this process; a number may have been another's before

    def __init__(self) -> None:
        self._host = socket.gethostname()[:64]
        self.name = f"{self._host}:{os.getpid()}:{secrets.token_hex(4)}"
        self._here.add(self.name)

    def gone(self, connection: Connection) -> set[str]:
        """Owners whose process is not there any more, or is another by now."""
        return {one for one in owners(connection) if one != self.name and self._ended(one)}

    def _ended(self, owner: str) -> bool:
        host, pid, _ = owner.rsplit(":", 2)
        if host != self._host or not pid.isdigit():
            return False
        if int(pid) == os.getpid():
            return owner not in self._here
        try:
            os.kill(int(pid), 0)
        except ProcessLookupError:
            return True
        except PermissionError:
            return False  # somebody's; it may be a dispatcher of another user
        return False
