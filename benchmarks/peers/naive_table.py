"""The one table of an afternoon's worker."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import DateTime, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class Base(DeclarativeBase):
    pass


class NaiveVerdict(Base):
    __tablename__ = "naive_verdicts"

    id: Mapped[int] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(String(500))
    label: Mapped[str] = mapped_column(String(100))
    confidence: Mapped[float]
    decided_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
