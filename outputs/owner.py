"""Who a dispatcher is to others, and which of them have ended."""

from __future__ import annotations

import os
import secrets
import socket
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import ClassVar

from sqlalchemy import Connection

from db.outbox.cursors import owners

# Where Linux says which start of which machine this is, and of which processes the numbers are.
_BOOT, _PROCESSES = Path("/proc/sys/kernel/random/boot_id"), Path("/proc/self/ns/pid")


class Owner:
    """This process, as the holder of leases: `PLACE:PID:TOKEN`.

    A dispatcher that was killed in this place cannot renew its leases and need not be waited for.
    One in another is over when they run out.
    """

    _here: ClassVar[set[str]] = set()  # of this process; a number may have been another's before

    def __init__(self) -> None:
        self._place = place()
        self.name = f"{self._place}:{os.getpid()}:{secrets.token_hex(4)}"
        self._here.add(self.name)

    def gone(self, connection: Connection) -> set[str]:
        """Owners whose process is not there any more, or is another by now."""
        return {one for one in owners(connection) if one != self.name and self._ended(one)}

    def _ended(self, owner: str) -> bool:
        where, pid, _ = owner.rsplit(":", 2)
        if where != self._place or not pid.isdigit():
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


def place() -> str:
    """Where a process's number names that process and no other: `HOST-XXXXXXXX`.

    The host's name alone does not say it: containers on one host's network all have it, and so do
    PCs that were made of one image.
    """
    said = []
    with suppress(OSError):
        said = [_BOOT.read_text(encoding="ascii"), str(_PROCESSES.readlink())]
    return f"{socket.gethostname()[:64]}-{sha256(''.join(said).encode()).hexdigest()[:8]}"
