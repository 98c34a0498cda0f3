"""Settings of what people are told: when a camera is silent, and who hears of it."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, SecretStr, field_validator

from linewatch.settings.reading import absolute


class Alerts(BaseModel):
    """Alerts and the page of lines."""

    camera_silent_s: float = Field(
        default=300.0,
        gt=0,
        description="A camera that sends nothing for this long within a shift is silent.",
    )
    alerts_file: Path | None = Field(
        default=None, description="YAML: which alerts are raised, who is told; see docs/alerts.md."
    )
    alert_urls: SecretStr = Field(
        default=SecretStr(""),
        description="Addresses that the alerts file names, as NAME=URL lines; a secret file.",
    )
    flower_url: str = Field(
        default="", description="Where people reach Flower; the console's queue page links to it."
    )

    _absolute_file = field_validator("alerts_file")(absolute)
