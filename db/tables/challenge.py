"""Challenges: known parts that go through a real camera, to see that the line still finds them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, SerialKey

_OPEN = text("ended_at IS NULL")


class Challenge(Base):
    """A challenge of a line, from its start to its end, or to its time-out, whichever is first.

    A picture that says `challenge` is one where it was made in that time and shows a part that the
    challenge names; it is then no part of production. One at a time is open on a line.
    """

    __tablename__ = "challenges"
    __table_args__ = (
        Index(
            "uq_challenges_open",
            "line",
            unique=True,
            postgresql_where=_OPEN,
            sqlite_where=_OPEN,
        ),
        Index(None, "line", "started_at"),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    line: Mapped[str]
    started_at: Mapped[datetime]
    started_by: Mapped[str]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]  # '' where its time was over
    verified: Mapped[bool | None]  # whether every part was told right; null while it is open


class ChallengePart(Base):
    """A part that a challenge names, what it is, and at the end what the model said of it."""

    __tablename__ = "challenge_parts"
    __table_args__ = (Index(None, "product", "serial"),)

    challenge_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("challenges.id"), primary_key=True
    )
    product: Mapped[str] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(primary_key=True)
    known_class: Mapped[str]  # '' where it is only known that it is nonconforming
    known_good: Mapped[bool]
    pictures: Mapped[int | None]  # how many came; null while it is open, as are the next three
    disposition: Mapped[str | None]  # '' where none came
    classes: Mapped[str | None]
    found: Mapped[bool | None]  # told right
