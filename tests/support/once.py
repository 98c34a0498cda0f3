"""What is expensive to make and never changed: made by one process of a test run, read by all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """The folder `name` of this test run, filled by `make`; other processes wait until it is.

    Where `make` raises, so does this, and the next process begins anew.
    """
    base = factory.getbasetemp()
    # Each process of pytest-xdist has a folder of its own beneath the run's.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / f"once-{name}"
    finished = folder / ".finished"
    with FileLock(f"{folder}.lock"):
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            make(folder)
            finished.touch()
    return folder
