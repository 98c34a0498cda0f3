"""What the file of outputs says of a webhook."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from outputs.options import ReceiverOptions, Secret


class WebhookOptions(ReceiverOptions):
    """An HTTP server that results are posted to."""

    kind: Literal["webhook"]
    url: str = Field(description="https://, or http:// to this machine.")
    secret_file: Secret = Field(description="The key of the signatures; 16 bytes or more.")
    ca_file: Path | None = Field(default=None, description="Left out: the system's.")
    most: int = Field(default=100, ge=1, le=1000, description="Results in one request.")

    @field_validator("url")
    @classmethod
    def _may_be_posted_to(cls, value: str) -> str:
        parts = urlsplit(value)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("must be an https:// URL")
        if parts.username or parts.password:
            raise ValueError("holds a user or password: everybody reads this file")
        if parts.scheme == "http" and parts.hostname not in ("localhost", "127.0.0.1", "::1"):
            raise ValueError("must be https://: http:// is for receivers on this machine alone")
        return value
