"""What the file of outputs says of an MQTT broker."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from outputs.options import Port, ReceiverOptions, Secret

TOPIC = "{site}/{area}/{line}/verdict"
STATE_TOPIC = "{site}/{area}/{line}/state"


class MqttOptions(ReceiverOptions):
    """A broker; each result is a message of QoS 1, and never retained."""

    kind: Literal["mqtt"]
    host: str = Field(min_length=1)
    port: Port | None = Field(default=None, description="Left out: 8883 with TLS, 1883 without.")
    tls: bool = True
    ca_file: Path | None = Field(default=None, description="Left out: the system's.")
    cert_file: Path | None = Field(default=None, description="Of the client, with its key_file.")
    key_file: Path | None = None
    user: str | None = None
    password_file: Secret | None = None
    client_id: str | None = Field(
        default=None, max_length=64, description="Left out: linewatch-LINE-NAME."
    )
    topic: str = Field(default=TOPIC, description="May name {site}, {area}, {line}, {product}.")
    state_topic: str = Field(
        default=STATE_TOPIC, description="Retained: online or offline; also the last will."
    )
    prefix: str = Field(default="linewatch", description="Before both topics; '': none.")
    protocol: Literal["5", "3.1.1"] = Field(
        default="5", description="With 3.1.1 a broker cannot say that it refused a topic."
    )
    in_flight: int = Field(
        default=500, ge=1, le=1000, description="Messages that wait for their acknowledgement."
    )

    @field_validator("topic", "state_topic", "prefix")
    @classmethod
    def _may_be_published_to(cls, value: str) -> str:
        if any(sign in value for sign in "+#\0"):
            raise ValueError("a topic that is published to holds no +, # or NUL")
        try:
            value.format(site="", area="", line="", product="")
        except (KeyError, IndexError, ValueError):
            raise ValueError("it may name {site}, {area}, {line} and {product} only") from None
        return value

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("ca_file, cert_file and key_file need tls: true")
        if (self.cert_file is None) != (self.key_file is None):
            raise ValueError("cert_file and key_file go together")
        if self.password_file is not None and self.user is None:
            raise ValueError("password_file needs user")
        if "{product}" in self.state_topic:
            raise ValueError("state_topic is the line's: it cannot name {product}")
        return self
