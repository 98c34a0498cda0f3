"""Included in a worker: its device fails once, in the words of LINEWATCH_TEST_DEVICE_SAYS.

The words are CUDA's or OpenVINO's own. The flag file remembers that it happened.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from workers.pipeline.judge import Judge

_launch = Judge.launch


def _failing(self: Judge, batch: Any) -> Any:
    flag = Path(os.environ["LINEWATCH_TEST_DEVICE_FLAG"])
    if len(batch) >= int(os.environ["LINEWATCH_TEST_DEVICE_FROM"]) and not flag.exists():
        flag.touch()
        raise RuntimeError(os.environ["LINEWATCH_TEST_DEVICE_SAYS"])
    return _launch(self, batch)


Judge.launch = _failing  # type: ignore[method-assign]
