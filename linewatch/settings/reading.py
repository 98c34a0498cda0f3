"""How values are read that come as text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator


def absolute(path: Path | None) -> Path | None:
    """A path that means the same wherever the process goes."""
    return path if path is None else path.expanduser().absolute()


def empty_is_none(value: object) -> object:
    """A variable that is set to nothing is not set."""
    return None if value == "" else value


# A path that need not be. A type, since of two validators in classes that are inherited together
# and called alike only one would be.
OptionalPath = Annotated[Path | None, BeforeValidator(empty_is_none), AfterValidator(absolute)]
