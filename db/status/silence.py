"""Whether a camera that sends nothing should be sending. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

UNUSED_AFTER = timedelta(days=7)  # it was taken down, or its line rests


class CameraState(StrEnum):
    """What a camera does."""

    SENDING = "sending"
    SILENT = "silent"  # it should send, and does not
    RESTING = "resting"  # no shift runs, or one has just begun
    UNUSED = "unused"  # nothing for a week


def camera_state(
    last_at: datetime | None,
    now: datetime,
    *,
    shift_since: datetime | None,
    silent_after: timedelta,
) -> CameraState:
    """What a camera does, by the time of its last verdict.

    Args:
        last_at: None: it never sent a picture that was judged.
        shift_since: when the shift began that runs now; None: none does.
        silent_after: how long it may send nothing within a shift.
    """
    if last_at is None or now - last_at > UNUSED_AFTER:
        return CameraState.UNUSED
    if now - last_at <= silent_after:
        return CameraState.SENDING
    if shift_since is None or now - shift_since <= silent_after:
        return CameraState.RESTING
    return CameraState.SILENT
