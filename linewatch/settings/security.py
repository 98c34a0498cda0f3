"""Settings of who may do what: signatures, certificates, passwords."""

from __future__ import annotations

from typing import Self

from pydantic import BaseModel, Field, SecretStr, model_validator

from linewatch.settings.reading import OptionalPath


class Security(BaseModel):
    """Signed messages, TLS to Redis, Flower's password."""

    signing_keys: SecretStr = Field(
        default=SecretStr(""), description="id:secret pairs, newest first; signs and verifies."
    )
    require_signatures: bool = Field(
        default=False, description="Workers dead-letter messages without a good signature."
    )
    max_message_bytes: int = Field(
        default=1024 * 1024, ge=128 * 1024, description="A larger message is never opened."
    )
    redis_ca_cert: OptionalPath = Field(default=None, description="PEM; for rediss:// URLs.")
    redis_client_cert: OptionalPath = Field(default=None, description="PEM; if Redis asks for it.")
    redis_client_key: OptionalPath = Field(default=None, description="PEM; the certificate's key.")
    flower_basic_auth: SecretStr = Field(default=SecretStr(""), description="user:password")

    @model_validator(mode="after")
    def _agree_on_security(self) -> Self:
        if self.require_signatures and not self.signing_keys.get_secret_value().strip():
            raise ValueError(
                "require_signatures needs signing_keys, or every message would be refused"
            )
        if bool(self.redis_client_cert) != bool(self.redis_client_key):
            raise ValueError("redis_client_cert and redis_client_key need each other")
        return self
