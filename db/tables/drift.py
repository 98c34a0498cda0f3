"""What a camera's parts are compared with to see drift."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base


class DriftBaseline(Base):
    """A camera's charts under one model, as JSON; the first worker that had enough parts made it.

    '' stands for a line or camera that messages did not name, since a key holds no nulls. Charts of
    light and focus have a column of their own: workers of 0.1.0 refuse a baseline with more in it.
    None: they are not made yet.
    """

    __tablename__ = "drift_baselines"

    product: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[str]
    baseline: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime]
    optics: Mapped[str | None] = mapped_column(Text)
