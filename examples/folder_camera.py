"""A camera that writes its pictures into a folder, and a gate that hears of each part.

    python examples/folder_camera.py /data/pictures --line line-1 --camera cam-2 --product cable

What `linewatch watch` does, as a program of your own: where the gate is driven by a library.
"""

from __future__ import annotations

import argparse
import re
import signal
import threading
from pathlib import Path

from linewatch import Camera
from producer.deadline_book import MissedDeadline
from producer.inbox import KeptReceipt
from producer.watch import FolderWatch, WatchOptions


def open_gate(part: str | None) -> None:
    """Let the part pass. Yours: set an output, write to a PLC."""
    print("gate opens for", part, flush=True)


def keep_shut(part: str | None, why: str) -> None:
    """The part goes to the reject lane, as it would if nobody said anything."""
    print("gate stays shut for", part, f"({why})", flush=True)


def told(receipt: KeptReceipt) -> None:
    """A verdict is committed. One that is late was answered already: the part is gone."""
    if receipt.late:
        print("late verdict of", receipt.part, receipt.verdict, flush=True)
    elif receipt.verdict == "pass":
        open_gate(receipt.part)
    else:
        keep_shut(receipt.part, str(receipt.defect_class or receipt.reason))


def missed(part: MissedDeadline) -> None:
    """No verdict in time: called from a thread that waits for neither Redis nor a worker."""
    keep_shut(part.part, "no verdict in time")


def main() -> None:
    """Watch the folder until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    for name in ("line", "camera", "product"):
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--deadline", type=float, default=0.8, help="seconds, capture to verdict")
    given = parser.parse_args()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    options = WatchOptions(part_pattern=re.compile(r"(?P<part>SN\d+)"))
    with Camera(
        given.line,
        given.camera,
        given.product,
        on_receipt=told,
        deadline_s=given.deadline,
        on_deadline=missed,
    ) as camera:
        FolderWatch(given.folder, camera, options).run(stop)


if __name__ == "__main__":
    main()
