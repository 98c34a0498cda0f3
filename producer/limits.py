"""How much a spool may hold, and what happens when that is reached."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from linewatch.settings import Settings

WhenFull = Literal["block", "reject", "drop-oldest"]


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a spool holds, and what happens to a picture for which there is no room."""

    pictures: int = 100_000
    bytes: int = 10 * 1024**3
    age_s: float = 7 * 24 * 3600
    when_full: WhenFull = "block"
    block_s: float = 5.0

    @classmethod
    def from_settings(cls, settings: Settings) -> Limits:
        """The limits that the settings name."""
        return cls(
            settings.spool_max_pictures,
            settings.spool_max_bytes,
            settings.spool_max_age_s,
            settings.spool_when_full,
            settings.spool_block_s,
        )

    def exceeded_by(self, pictures: int, size: int, age_s: float = 0.0) -> str | None:
        """The setting that forbids a spool to hold so many, so much, for so long; else None."""
        if pictures > self.pictures:
            return "LINEWATCH_SPOOL_MAX_PICTURES"
        if size > self.bytes:
            return "LINEWATCH_SPOOL_MAX_BYTES"
        return "LINEWATCH_SPOOL_MAX_AGE_S" if age_s > self.age_s else None
