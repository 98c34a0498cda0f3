"""Settings of what people are told: when a camera is silent, and who hears of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from linewatch.settings.reading import OptionalPath


class Alerts(BaseModel):
    """Alerts and the page of lines."""

    camera_silent_s: float = Field(
        default=300.0,
        gt=0,
        description="A camera that sends nothing for this long within a shift is silent.",
    )
    alerts_file: OptionalPath = Field(
        default=None, description="YAML: which alerts are raised, who is told; see docs/alerts.md."
    )
    alert_urls: SecretStr = Field(
        default=SecretStr(""),
        description="Addresses that the alerts file names, as NAME=URL lines; a secret file.",
    )
    flower_url: str = Field(
        default="", description="Where people reach Flower; the console's queue page links to it."
    )
    worker_metrics_urls: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="Workers' metrics pages, ','-separated, for the queue page."
    )

    @field_validator("worker_metrics_urls", mode="before")
    @classmethod
    def _split_urls(cls, value: object) -> object:
        if isinstance(value, str):
            return tuple(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("worker_metrics_urls")
    @classmethod
    def _web_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if not url.startswith(("http://", "https://")):
                raise ValueError(
                    f"{url!r} is no address of a metrics page; write http://HOST:PORT/metrics"
                )
        return value

    @field_validator("flower_url")
    @classmethod
    def _web_url(cls, value: str) -> str:
        if value and not value.startswith(("http://", "https://")):
            raise ValueError("must begin with http:// or https://")
        return value
