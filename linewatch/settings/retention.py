"""Settings of how long things are kept."""

from __future__ import annotations

from pydantic import BaseModel, Field, field_validator

from linewatch.settings.reading import empty_is_none


class Retention(BaseModel):
    """Limits of age; empty: kept for ever. A product file's `retention` overrides them.

    What is over by itself, such as sessions, is of no product and never kept for ever.
    """

    retention_pictures_days: float | None = Field(
        default=None, gt=0, description="Picture files; needs retention_delete_files."
    )
    retention_features_days: float | None = Field(
        default=None, gt=0, description="Feature vectors of pictures that nobody labelled."
    )
    retention_inspections_days: float | None = Field(
        default=None, gt=0, description="Verdicts with their scores, unless labelled or golden."
    )
    retention_rollups_days: float | None = Field(
        default=None, gt=0, description="Hourly counts: what every report is made from."
    )
    retention_ended_days: float = Field(
        default=365,
        ge=7,
        description="Sessions and links of the console, and who was told of alerts, once over.",
    )
    retention_delete_files: bool = Field(
        default=False, description="Whether a purge may delete files beneath image_roots."
    )
    retention_batch: int = Field(
        default=500, ge=1, le=10_000, description="Rows a purge handles in one transaction."
    )
    maintenance_hour: int = Field(default=3, ge=0, le=23, description="Nightly, plant time.")
    partition_months_ahead: int = Field(
        default=3, ge=1, le=24, description="Partitions made ahead of time, where there are any."
    )

    _no_limit = field_validator(
        "retention_pictures_days",
        "retention_features_days",
        "retention_inspections_days",
        "retention_rollups_days",
        mode="before",
    )(empty_is_none)
