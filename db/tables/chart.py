"""Control charts: baselines that people froze, signals that were raised, and what was done."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, SerialKey


class ChartBaseline(Base):
    """What a chart was like while in control. Append-only; the latest one of a chart is in force.

    '' stands for every line, and for any class. `arl` is the in-control average run length, null
    where no false alarm came in the simulation.
    """

    __tablename__ = "chart_baselines"
    __table_args__ = (
        CheckConstraint("by IN ('shift', 'hour', 'lot', 'n')", name="by"),
        CheckConstraint("kind IN ('p', 'laney_p', 'g')", name="kind"),
        Index(None, "product", "line"),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    product: Mapped[str]
    line: Mapped[str]
    class_code: Mapped[str] = mapped_column("class")
    by: Mapped[str]
    n: Mapped[int]  # parts of a subgroup; 0 unless by n
    kind: Mapped[str]
    rate: Mapped[float]
    sigma_z: Mapped[float]
    subgroups: Mapped[int]
    parts: Mapped[int] = mapped_column(BigInteger)
    from_at: Mapped[datetime]
    to_at: Mapped[datetime]
    left_out: Mapped[list[Any]] = mapped_column(Json)  # names of subgroups
    rule_set: Mapped[str]
    arl: Mapped[float | None]
    frozen_by: Mapped[str]
    frozen_at: Mapped[datetime]
    why: Mapped[str]


class ChartSignal(Base):
    """A point that was a signal when it was looked at; kept though later decisions change it."""

    __tablename__ = "chart_signals"
    __table_args__ = (UniqueConstraint("baseline_id", "subgroup", "rule"),)

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    baseline_id: Mapped[int] = mapped_column(ForeignKey("chart_baselines.id"))
    subgroup: Mapped[str]
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    rule: Mapped[str]
    value: Mapped[float]
    lower: Mapped[float]
    centre: Mapped[float]
    upper: Mapped[float]
    raised_at: Mapped[datetime]
    alert_id: Mapped[int] = mapped_column(BigInteger)


class ChartReaction(Base):
    """What somebody did about a signal. Append-only."""

    __tablename__ = "chart_reactions"
    __table_args__ = (Index(None, "signal_id"),)

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    signal_id: Mapped[int] = mapped_column(ForeignKey("chart_signals.id"))
    reacted_by: Mapped[str]
    reacted_at: Mapped[datetime]
    did: Mapped[str]
