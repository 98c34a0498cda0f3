"""What the file of outputs says of a folder that files are dropped into."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from outputs.options import ReceiverOptions


class DropOptions(ReceiverOptions):
    """A folder in which each batch of results becomes a file."""

    kind: Literal["drop"]
    folder: Path = Field(description="An absolute path; it must be there.")
    format: Literal["json", "csv"] = "json"
    most: int = Field(default=500, ge=1, le=5000, description="Results in one file.")

    @property
    def suffix(self) -> str:
        """How the files' names end."""
        return "csv" if self.format == "csv" else "jsonl"

    @field_validator("folder")
    @classmethod
    def _absolute(cls, value: Path) -> Path:
        if not value.is_absolute():
            raise ValueError("must be an absolute path: services run in folders of their own")
        return value


def named(line: str) -> str:
    """A line's name as the names of its files begin."""
    return "".join(sign if sign.isalnum() or sign in "-_" else "_" for sign in line)
