"""Whether this is the short run, a part of `make test`, or the long one, `make faults`.

The long run works with the settings that ship. The short one brings messages back within seconds,
so that it costs minutes; its rows say so, and stand beside those of the long run, never for them.
"""

from __future__ import annotations

import os
from typing import Literal

Mode = Literal["short", "long"]

LONG = bool(os.environ.get("LINEWATCH_FAULTS_LONG"))
MODE: Mode = "long" if LONG else "short"
PART = os.environ.get("LINEWATCH_FAULTS_PART", "")

# Redelivery within seconds. Tests only: a worker that pauses for 3 s loses its messages to another.
_SHORT_TIMES = {
    "visibility_timeout_s": 3,
    "lease_renewal_s": 0.75,
    "redelivery_sweep_s": 0.5,
    "receipt_timeout_s": 5.0,
}
TIMES: dict[str, float] = {} if LONG else _SHORT_TIMES


def times(short: int, long: int) -> int:
    """How often to provoke a fault: few times in `make test`, many in `make faults`."""
    return long if LONG else short
