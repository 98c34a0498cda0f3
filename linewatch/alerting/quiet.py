"""Quiet hours: when a channel tells only what cannot wait. Pure."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")


class Quiet(BaseModel):
    """From a time of the plant's clock to another; over midnight where the end is earlier."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    starts: time
    ends: time
    days: tuple[str, ...] = Field(
        default=DAYS, description="On which it begins: mon, tue … or mon-fri."
    )
    but_tell: Severity = "critical"

    @field_validator("days", mode="before")
    @classmethod
    def _spelled_out(cls, value: object) -> object:
        words = value.split(",") if isinstance(value, str) else value
        if not isinstance(words, list | tuple):
            return value
        found: list[str] = []
        for word in words:
            first, _, last = str(word).strip().lower().partition("-")
            if first not in DAYS or (last and last not in DAYS):
                raise ValueError(f"{word!r} is no day; write {', '.join(DAYS)}, or mon-fri")
            start, end = DAYS.index(first), DAYS.index(last or first)
            end += 7 if end < start else 0
            found += [DAYS[place % 7] for place in range(start, end + 1)]
        return tuple(dict.fromkeys(found))

    def holds(self, local: datetime) -> bool:
        """Whether it is quiet at this moment of the plant's clock."""
        now = local.time()
        if self.starts == self.ends:
            return self._on(local)
        if self.starts < self.ends:
            return self._on(local) and self.starts <= now < self.ends
        if now >= self.starts:
            return self._on(local)
        return now < self.ends and self._on(local - timedelta(days=1))

    def _on(self, day: datetime) -> bool:
        return DAYS[day.weekday()] in self.days


def at_least(severity: str, wanted: str) -> bool:
    """Whether a severity is `wanted` or worse; one that is unknown is."""
    if severity not in SEVERITIES:
        return True
    return SEVERITIES.index(severity) >= SEVERITIES.index(wanted)
