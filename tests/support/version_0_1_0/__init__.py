"""What the code of 0.1.0 made: a signed message, a spool (one picture sent, one not), a model.

Written by its `to_task`, `Spool` and `ModelStore`; only the host's name was taken out.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
SIGNING_KEYS = "k1:" + "s" * 32


def message() -> dict[str, Any]:
    """The message, signed with `SIGNING_KEYS`."""
    found: dict[str, Any] = json.loads((FOLDER / "message.json").read_text())
    return found


def write_spool(path: Path) -> None:
    """Make the spool's file anew at `path`."""
    with sqlite3.connect(path) as db:
        db.executescript((FOLDER / "spool.sql").read_text())
    db.close()


def write_model(store: Path) -> tuple[str, str]:
    """Put its model into a store's folder; returns product and version."""
    manifest = json.loads((FOLDER / "model" / "manifest.json").read_text())
    product, version = manifest["product"], manifest["version"]
    shutil.copytree(FOLDER / "model", store / product / version)
    return product, version
