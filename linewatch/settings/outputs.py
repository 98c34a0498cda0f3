"""Settings of what the lines are told."""

from __future__ import annotations

from pydantic import BaseModel, Field

from linewatch.settings.reading import OptionalPath


class Outputs(BaseModel):
    """Where the receivers are named, and how long they may be away."""

    outputs_file: OptionalPath = Field(
        default=None, description="YAML file of the lines' receivers; see docs/line.md."
    )
    retention_outbox_days: float = Field(
        default=7.0,
        gt=0,
        le=3650,
        description="What a receiver was not told after so long, it is never told.",
    )
