"""Has a folder's own entries written to disk: a new file is kept only when its folder is."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def sync_folder(folder: Path) -> None:
    """Wait until the folder's entries are on disk.

    Windows opens no folder, and NTFS keeps a journal of its entries: there is nothing to wait for.

    Raises:
        OSError: the folder cannot be read, or its disk fails.
    """
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
