"""What an alerts file says: which conditions raise alerts, and who is told."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from linewatch.alerting.quiet import Quiet, Severity

Language = Literal["en", "de"]


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Rule(_Said):
    """What every rule may say."""

    on: bool = True
    severity: Severity = "warning"
    lines: tuple[str, ...] = Field(default=(), description="Only of these; none: of all.")


class CameraSilent(Rule):
    """A camera sends nothing for LINEWATCH_CAMERA_SILENT_S within a shift."""

    severity: Severity = "critical"


class WorkerSilent(Rule):
    """An inspect worker that answered within `forget_h` does not for so long."""

    severity: Severity = "critical"
    after_s: float = Field(default=120, ge=30)
    forget_h: float = Field(default=24, gt=0)


class QueueAge(Rule):
    """The oldest message waits longer than this."""

    after_s: float = Field(default=60, gt=0)


class ReviewBacklog(Rule):
    """So many parts of a line wait for a person, or one of them for so long."""

    parts: int = Field(default=200, ge=1)
    oldest_h: float = Field(default=8, gt=0)


class ShiftUnverified(Rule):
    """A line that is verified by challenges was not, so long after its shift began."""

    after_min: float = Field(default=60, ge=0)


class Rules(_Said):
    """The rules; one that is left out is as its defaults say, `on: false` switches one off."""

    camera_silent: CameraSilent = CameraSilent()
    worker_silent: WorkerSilent = WorkerSilent()
    queue_age: QueueAge = QueueAge()
    review_backlog: ReviewBacklog = ReviewBacklog()
    shift_unverified: ShiftUnverified = ShiftUnverified()


class Channel(_Said):
    """Some people, and of what they are told.

    Attributes:
        to: Apprise addresses, or names of LINEWATCH_ALERT_URLS, which keeps secrets.
        at_least: the least severity.
        kinds: only these kinds of alerts; none: all.
        lines: only of these lines, and what is of no line; none: all.
        repeat_min: told again after so many minutes, until somebody acknowledges; none: once.
        tell_closed: also when it is over, if it was told.
        summary: a summary after each shift.
        alerts: whether alerts are told; false: summaries alone.
        language: of what they read; none: the file's.
    """

    to: tuple[str, ...] = Field(min_length=1)
    at_least: Severity = "warning"
    kinds: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    repeat_min: float | None = Field(default=None, ge=1)
    quiet: Quiet | None = None
    tell_closed: bool = False
    summary: bool = False
    alerts: bool = True
    language: Language | None = None

    @field_validator("to", "kinds", "lines", mode="before")
    @classmethod
    def _one_or_more(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value


class AlertsFile(_Said):
    """The whole file.

    Attributes:
        console: the address of the console, which messages link to; empty: LINEWATCH_CONSOLE_URL.
        language: of what people are told, where their channel does not say.
    """

    rules: Rules = Rules()
    channels: dict[str, Channel] = Field(default_factory=dict)
    console: str = ""
    language: Language = "en"

    @model_validator(mode="after")
    def _usable_names(self) -> AlertsFile:
        for name in self.channels:
            if not name or len(name) > 64 or not name.isprintable():
                raise ValueError(f"a channel cannot be called {name!r:.80}")
        if self.console and not self.console.startswith(("http://", "https://")):
            raise ValueError("console: must begin with http:// or https://")
        return self
