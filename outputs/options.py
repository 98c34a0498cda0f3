"""What the file of outputs says of every receiver; each kind adds its own in a file of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Seconds = Annotated[float, Field(gt=0, le=3600, allow_inf_nan=False)]
Port = Annotated[int, Field(ge=1, le=65535)]
Secret = Annotated[Path, Field(description="A file that holds the secret and nothing else.")]


class Options(BaseModel):
    """A table of the file: unknown keys are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class ReceiverOptions(Options):
    """A receiver of one line. A kind's class adds `kind: Literal[...]` and its own fields."""

    name: Code
    kind: str
    level: Literal["part", "picture"] = Field(
        default="part", description="Tell a part once, when it is complete, or each picture."
    )
    ack_timeout_s: Seconds = Field(
        default=5.0, description="How long the receiver may take to confirm what it was sent."
    )


class Place(Options):
    """Where a line is, for topics and node names; each '' where the file does not say."""

    site: str = ""
    area: str = ""
    line: str
