"""When a camera that sends nothing should be sending."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from db.status.silence import CameraState, camera_state

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("last_min", "shift_min", "state"),
    [
        (1, 60, CameraState.SENDING),
        (6, 60, CameraState.SILENT),
        (6, 4, CameraState.RESTING),  # the shift has just begun
        (600, None, CameraState.RESTING),  # no shift runs
        (7 * 24 * 60 + 1, 60, CameraState.UNUSED),
        (None, 60, CameraState.UNUSED),
        (-5, 60, CameraState.SENDING),  # a clock ahead
    ],
)
def test_a_camera_is_silent_only_within_a_shift(
    last_min: float | None, shift_min: float | None, state: CameraState
) -> None:
    found = camera_state(
        None if last_min is None else NOW - timedelta(minutes=last_min),
        NOW,
        shift_since=None if shift_min is None else NOW - timedelta(minutes=shift_min),
        silent_after=timedelta(minutes=5),
    )
    assert found is state
