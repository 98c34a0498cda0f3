"""Whether a program on this machine still has a file open for writing.

Linux tells by a read lease (fcntl(2), F_SETLEASE): it is refused while anybody has the file open
for writing. That also tells of writers that opened the file before anybody watched, which close
events do not. Network folders, other systems and files of other users tell nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import sys
from enum import Enum
from pathlib import Path


class Writer(Enum):
    """Who has a file open for writing."""

    NONE = "none"
    SOME = "some"
    UNKNOWN = "unknown"


def writer_of(path: Path) -> Writer:
    """Ask the kernel; raises nothing."""
    if sys.platform != "linux":
        return Writer.UNKNOWN
    import fcntl  # Windows has none

    try:
        # Without O_NONBLOCK the open would wait for a file server's own lease.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except BlockingIOError:
        return Writer.SOME
    except OSError:
        return Writer.UNKNOWN
    try:
        # Who opens the file while the lease is held waits for microseconds, and this process is
        # told by a signal: one that is ignored, where SIGIO would end it.
        fcntl.fcntl(descriptor, fcntl.F_SETSIG, signal.SIGURG)
        fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    except OSError as error:
        return Writer.SOME if error.errno == errno.EAGAIN else Writer.UNKNOWN
    else:
        return Writer.NONE
    finally:
        with contextlib.suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)
        os.close(descriptor)
