"""A Basler camera that a light barrier triggers, and parts that a scanner names before it.

    scanner | python examples/basler_trigger.py /data/pictures --trigger Line1 \
        --line line-1 --camera cam-2 --product cable

Needs `pip install pypylon`. One line of standard input is one part's serial number, in the order in
which the parts reach the light barrier. `--trigger Software` fires the camera itself for each of
them: so it runs with the emulated camera of pylon, without any hardware (PYLON_CAMEMU=1).

The pattern, with any camera: wait for the frame that belongs to the part, and no longer than the
belt needs; a frame that does not come is said, not waited for. The time of capture is taken when
the frame is there, the file is written under another name and moved, and `submit` returns at once.
"""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from pathlib import Path

from pypylon import pylon

from linewatch import Camera
from producer.deadline_book import MissedDeadline
from producer.inbox import KeptReceipt


def opened(trigger: str) -> pylon.InstantCamera:
    """The first camera found, which exposes one frame for each signal at `trigger`."""
    device = pylon.TlFactory.GetInstance().CreateFirstDevice()
    camera = pylon.InstantCamera(device)
    camera.Open()
    camera.TriggerSelector.Value = "FrameStart"
    camera.TriggerSource.Value = trigger
    camera.TriggerMode.Value = "On"
    camera.MaxNumBuffer.Value = 5
    camera.StartGrabbing(pylon.GrabStrategy_OneByOne)
    return camera


def frame(camera: pylon.InstantCamera, target: Path, *, fire: bool, timeout_ms: int) -> bool:
    """Save the next frame as PNG; False: none came in time, or it came damaged."""
    if fire:
        if not camera.WaitForFrameTriggerReady(timeout_ms, pylon.TimeoutHandling_Return):
            return False
        camera.TriggerSoftware.Execute()
    with camera.RetrieveResult(timeout_ms, pylon.TimeoutHandling_Return) as grabbed:
        if not grabbed.IsValid() or not grabbed.GrabSucceeded():
            return False
        image = pylon.PylonImage()
        image.AttachGrabResultBuffer(grabbed)
        draft = target.with_name(f".{target.name}")
        image.Save(pylon.ImageFileFormat_Png, str(draft))
        image.Release()
    draft.replace(target)
    return True


def told(receipt: KeptReceipt) -> None:
    """A verdict is committed."""
    print("late" if receipt.late else "verdict", receipt.part, receipt.verdict, flush=True)


def missed(part: MissedDeadline) -> None:
    """The gate stays shut."""
    print("no verdict", part.part, flush=True)


def main() -> None:
    """Until the scanner has no more parts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trigger", default="Line1", help="Line1 … Line3, or Software")
    parser.add_argument("--frame-timeout", type=int, default=1000, help="milliseconds")
    parser.add_argument("--deadline", type=float, default=0.8, help="seconds, capture to verdict")
    for name in ("line", "camera", "product"):
        parser.add_argument(f"--{name}", required=True)
    given = parser.parse_args()
    grabber = opened(given.trigger)
    with Camera(
        given.line,
        given.camera,
        given.product,
        on_receipt=told,
        deadline_s=given.deadline,
        on_deadline=missed,
    ) as camera:
        for number, serial in enumerate(map(str.strip, sys.stdin)):
            now = datetime.now(UTC)
            target = given.folder / f"{now:%Y%m%dT%H%M%S%f}-{number:06}.png"
            fire = given.trigger == "Software"
            if frame(grabber, target, fire=fire, timeout_ms=given.frame_timeout):
                camera.submit(target, part=serial, captured_at=now)
            else:
                print("no picture", serial, flush=True)  # the gate stays shut
        camera.wait(timeout=10)
    grabber.Close()


if __name__ == "__main__":
    main()
