"""Whose process this is, as the system says: the environment (`LOGNAME=…`) can say anything."""

from __future__ import annotations

import os
import pwd


def os_user(uid: int | None = None) -> str:
    """The name of a user id, this process's own by default; `uid-1000` where it has no name."""
    number = os.getuid() if uid is None else uid
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return f"uid-{number}"
