"""A result file that is written again after each row: cut short, it holds all until then."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from benchmarks.report import document, write


class GrowingResult:
    """Rows, ratios and settings on their way to one file.

    Args:
        path: the file.
        seconds: after which nothing new should begin.
        settings: how it is measured.
    """

    def __init__(self, path: Path, seconds: float, settings: dict[str, Any]) -> None:
        self._path = path
        self._began = time.monotonic()
        self._seconds = seconds
        self.settings = settings
        self.rows: list[dict[str, Any]] = []
        self.ratios: dict[str, Any] = {}

    @property
    def left_s(self) -> float:
        """Seconds in which something may still begin."""
        return self._seconds - (time.monotonic() - self._began)

    def add(self, what: str, **row: Any) -> None:
        """Add a row, write the file, and print the row."""
        self.rows.append({"what": what, **row})
        self.write()
        words = ", ".join(f"{key} {_short(value)}" for key, value in row.items())
        print(f"{time.monotonic() - self._began:6.1f} s  {what}: {words}", flush=True)

    def skip(self, what: str, why: str) -> None:
        """Say in the file what was not measured, and why."""
        self.settings.setdefault("skipped", {})[what] = why
        self.write()
        print(f"not measured: {what}: {why}", flush=True)

    def write(self, *, whole: bool = False) -> None:
        """Write the file as it stands; `whole` says that nothing is missing."""
        settings = {**self.settings, "whole": whole}
        settings["seconds"] = round(time.monotonic() - self._began)
        write(document("gpu", settings=settings, rows=self.rows, ratios=self.ratios), self._path)


def _short(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
