"""A camera program that ends at a named step, as SIGKILL ends it; prints each id it was given.

`python -m tests.acceptance.faults.killed_producer <step> <nth> <picture>`: at the nth time.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any

from producer.camera import Camera
from producer.outbox import Outbox
from producer.publisher import Publisher
from producer.sender import Sender
from producer.spool import Spool

LINE, CAMERA, PRODUCT = "line-1", "killed", "widget"
_PAUSE_S = 0.005

# The method before whose call the program dies; in the order of a picture's way.
STEPS: dict[str, tuple[type, str]] = {
    "before the spool row": (Spool, "add"),
    "after the row, before submit returns": (Sender, "wake"),
    "after the row, before the publish": (Publisher, "publish"),
    "after the publish, before mark_sent": (Outbox, "mark_sent"),
    "after the receipt was read, before the spool forgot": (Outbox, "clear"),
    "after the spool forgot, before LTRIM": (Publisher, "forget_receipts"),
}


def die_before(owner: type, method: str, nth: int) -> None:
    """End this process just before the nth call of a method."""
    original: Callable[..., Any] = getattr(owner, method)
    lock, calls = Lock(), count(1)

    def deadly(*args: Any, **kwargs: Any) -> Any:
        with lock:
            if next(calls) == nth:
                os.kill(os.getpid(), signal.SIGKILL)
        return original(*args, **kwargs)

    setattr(owner, method, deadly)


def main(step: str, nth: int, picture: Path) -> None:
    """Submit the picture again and again, until the step."""
    die_before(*STEPS[step], nth)
    with Camera(LINE, CAMERA, PRODUCT) as camera:
        while True:
            print(camera.submit(picture), flush=True)
            time.sleep(_PAUSE_S)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
