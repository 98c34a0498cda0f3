"""A task that does nothing, and what `benchmarks.stock`, which imports nothing of ours, is told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

EMPTY_TASK = "benchmarks.empty"
CONFIG_FILE = "celery.json"


def write_config(folder: Path, config: dict[str, Any]) -> None:
    """Leave Linewatch's configuration for the process whose LINEWATCH_DATA_DIR `folder` is."""
    ours = {"include", "beat_schedule", "task_queues", "task_create_missing_queues", "task_routes"}
    kept = {name: value for name, value in config.items() if name not in ours}
    (folder / CONFIG_FILE).write_text(json.dumps(kept))
