"""Settings of the console: where browsers find it, and who vouches for people."""

from __future__ import annotations

import os
from typing import Self
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, SecretStr, field_validator, model_validator

_ROLES = ("viewer", "inspector", "engineer", "admin")
_MOST_PROCESSES = 4  # unless more are asked for: each takes memory and database connections
_HERE = ("localhost", "127.0.0.1", "::1")


class Console(BaseModel):
    """Where the console is, and sign-in by OpenID Connect."""

    console_url: str = Field(
        default="",
        description="Where browsers find the console, for links to it; "
        "empty: where it listens, as seen from its machine.",
    )
    console_processes: int = Field(
        default=0,
        ge=0,
        le=32,
        description="Processes that serve the console side by side; 0: as many as there are "
        "processor cores, four at most.",
    )
    oidc_issuer: str = Field(
        default="", description="Issuer URL of the OpenID provider; empty: no sign-in by one."
    )
    oidc_client_id: str = Field(default="", description="What the provider calls this console.")
    oidc_client_secret: SecretStr = Field(
        default=SecretStr(""), description="Its secret there; empty: a public client."
    )
    oidc_scopes: str = Field(
        default="openid profile email", description="What the provider is asked for."
    )
    oidc_name_claim: str = Field(
        default="preferred_username", description="The claim that holds a person's name."
    )
    oidc_groups_claim: str = Field(
        default="groups", description="The claim that lists a person's groups."
    )
    oidc_roles: str = Field(
        default="",
        description="Group to role, such as `lw-admins=admin,qa=inspector`; the highest counts, "
        "and who is in none of the groups is refused.",
    )

    @field_validator("console_url", "oidc_issuer")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError(f"{value!r} is no http:// or https:// address")
        return value.rstrip("/") if urlsplit(value).path == "/" else value

    @field_validator("oidc_roles")
    @classmethod
    def _known_roles(cls, value: str) -> str:
        for pair in filter(None, map(str.strip, value.split(","))):
            group, equals, role = pair.rpartition("=")
            if not (equals and group.strip() and role.strip() in _ROLES):
                raise ValueError(f"{pair!r}: write GROUP=ROLE, a role of {', '.join(_ROLES)}")
        return value

    @model_validator(mode="after")
    def _agree_on_oidc(self) -> Self:
        if not self.oidc_issuer:
            return self
        if not (self.oidc_client_id and self.oidc_roles):
            raise ValueError("oidc_issuer needs oidc_client_id and oidc_roles")
        parts = urlsplit(self.oidc_issuer)
        if parts.scheme != "https" and parts.hostname not in _HERE:
            raise ValueError("oidc_issuer must be https://, or anybody on the way could sign in")
        return self

    @property
    def processes_of_console(self) -> int:
        """How many processes serve the console."""
        return self.console_processes or min(_MOST_PROCESSES, os.cpu_count() or 1)

    @property
    def roles_of_groups(self) -> dict[str, str]:
        """The provider's groups and the roles that they give."""
        pairs = (pair.rpartition("=") for pair in self.oidc_roles.split(",") if pair.strip())
        return {group.strip(): role.strip() for group, _, role in pairs}
