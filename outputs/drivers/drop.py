"""Results as files in a folder, for programs that read nothing else."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from linewatch.csv_cell import csv_cell, csv_line
from outputs.drivers.drop_options import DropOptions, named
from outputs.errors import ReceiverAwayError
from outputs.options import Place
from outputs.result import Result

COLUMNS = (
    *("version", "id", "sequence", "site", "line", "product", "part", "pass", "picture", "camera"),
    *("views", "result", "passes", "disposition", "classes", "decided_by", "why", "reason"),
    *("model", "confidence", "revision", "no_verdict", "late"),
    *("captured_at", "committed_at", "deadline"),
)


class DropDriver:
    """A file a batch, named by its line and numbers, that appears whole.

    It is written under a name with a dot in front and then renamed. A batch that comes again
    replaces its file, or comes as one that is cut otherwise: who reads goes by the ids.
    """

    def __init__(self, options: DropOptions, place: Place) -> None:
        self._options = options
        self._place = place
        self._text: Callable[[Sequence[Result]], str] = (
            _as_csv if options.format == "csv" else _as_json_lines
        )
        self.batch = options.most

    def deliver(self, results: Sequence[Result]) -> None:
        """Write one file, through to the disk."""
        first, last = results[0], results[-1]
        numbers = f"{first.sequence:016d}-{last.sequence:016d}"
        name = f"{named(first.line)}-{numbers}.{self._options.suffix}"
        folder = self._options.folder
        try:
            _write(folder, name, self._text(results))
        except OSError as error:
            raise ReceiverAwayError(
                f"folder {folder}: {error.strerror}; is it mounted, and may we write there?"
            ) from None

    def probe(self) -> str:
        """Write a file and delete it."""
        folder = self._options.folder
        try:
            _write(folder, ".linewatch-probe", "")
            (folder / ".linewatch-probe").unlink()
        except OSError as error:
            raise ReceiverAwayError(
                f"folder {folder}: {error.strerror}; is it mounted, and may we write there?"
            ) from None
        return f"{folder} takes files"

    def close(self) -> None:
        """Nothing is open."""


def _write(folder: Path, name: str, text: str) -> None:
    hidden = folder / f".{name.lstrip('.')}.{os.getpid()}.tmp"
    try:
        with hidden.open("w", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(folder / name)
    except OSError:
        hidden.unlink(missing_ok=True)
        raise
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)  # the rename too
    finally:
        os.close(handle)


def _as_json_lines(results: Sequence[Result]) -> str:
    return "".join(f"{json.dumps(result.as_json())}\n" for result in results)


def _as_csv(results: Sequence[Result]) -> str:
    lines = [csv_line(COLUMNS)]
    for result in results:
        fields = {**result.as_json(), "classes": "+".join(result.classes)}
        lines.append(csv_line([csv_cell(fields.get(name)) for name in COLUMNS]))
    return "".join(lines)
