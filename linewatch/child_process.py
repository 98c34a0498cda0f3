"""What a child process asks of the kernel before it becomes another program."""

from __future__ import annotations

import ctypes
import signal
import sys


def die_with_parent() -> None:
    """Called in a new child: let it end when this process does, however it ends."""
    if sys.platform == "linux":  # even when we are killed, no worker is left behind
        pr_set_pdeathsig = 1
        ctypes.CDLL(None, use_errno=True).prctl(pr_set_pdeathsig, signal.SIGTERM)
