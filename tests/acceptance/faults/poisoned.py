"""Included in a worker: reading `poison.png` ends the process, as a broken decoder would."""

from __future__ import annotations

import os
import signal
from typing import Any

from vision import pictures
from vision.source import PictureFile

_read = pictures.read_file


def _deadly(uri: str, **options: Any) -> PictureFile:
    if uri.endswith("poison.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    return _read(uri, **options)


pictures.read_file = _deadly
