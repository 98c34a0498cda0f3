"""Included in a worker: reading `poison.png` ends the process, as a broken decoder would."""

from __future__ import annotations

import os
import signal
from typing import Any

from workers import reading

_read = reading.read_picture


def _deadly(uri: str, **options: Any) -> bytes:
    if uri.endswith("poison.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    return _read(uri, **options)


reading.read_picture = _deadly
