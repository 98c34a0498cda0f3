"""What people decided of whole parts."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, SerialKey


class PartDecision(Base):
    """One decision on a part. Append-only; the latest `decided_at` of a part and pass counts.

    It names the part as messages do, so it outlives the part's pictures. `pass_number` is null
    where nobody said which of the part's passes through the line is meant. One whose disposition is
    `open` takes back those before it: nobody has decided the part.
    """

    __tablename__ = "decisions"
    __table_args__ = (
        CheckConstraint(
            "(disposition = 'conforming' AND defect_class IS NULL)"
            " OR (disposition = 'nonconforming' AND defect_class IS NOT NULL)"
            " OR (disposition = 'open' AND defect_class IS NULL)",
            name="disposition",
        ),
        Index(None, "product", "part", "decided_at"),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    product: Mapped[str]
    part: Mapped[str]
    pass_number: Mapped[int | None]
    disposition: Mapped[str]
    defect_class: Mapped[str | None]
    decided_by: Mapped[str]
    decided_at: Mapped[datetime]  # when the person said so
    recorded_at: Mapped[datetime]  # when it came here
    source: Mapped[str]
    why: Mapped[str]
