"""What is to be told to the lines, and how far each receiver has been told."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, OptionalJson


class OutboxLine(Base):
    """A line that has receivers, and the number of the last thing that there is to tell it.

    Whoever writes to the outbox adds to `last` and holds this row until the commit. So numbers are
    in commit order, without holes: a reader that has seen one has seen all before it. A sequence
    would number in the order of statements, and a reader's cursor could pass a commit that is still
    under way. The horizon of PostgreSQL's snapshots would do without the lock, but any transaction
    that stays open, as of a backup, would hold every gate of the plant.
    """

    __tablename__ = "outbox_lines"

    line: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[datetime]


class Outbox(Base):
    """What one transaction has for one line: entries that are numbered from `first` on.

    `kind` says what they are: `pictures`, ids of inspections; `parts`, of which people said
    something; `overdue`, parts whose views did not come in time. A part is
    `[product, serial, scope, pass]`.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        CheckConstraint("kind IN ('pictures', 'parts', 'overdue')", name="kind"),
        Index(None, "written_at"),
    )

    line: Mapped[str] = mapped_column(primary_key=True)
    last: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # the number of its last entry
    first: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str]
    entries: Mapped[list[Any]] = mapped_column(Json)
    written_at: Mapped[datetime]


class OutboxCursor(Base):
    """How far a receiver of a line has been told, and who tells it. Receiver '': the line's clock.

    Attributes:
        told: the number of the last entry that it has for good.
        since: the number of the last entry before it was configured, or replayed from.
        owner: the dispatcher that tells it, until `lease_until`.
        figures: of the last minutes, see `outputs.gate_latency`.
    """

    __tablename__ = "outbox_cursors"

    line: Mapped[str] = mapped_column(primary_key=True)
    receiver: Mapped[str] = mapped_column(primary_key=True)
    told: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[int] = mapped_column(BigInteger)
    moved_at: Mapped[datetime]
    owner: Mapped[str | None]
    lease_until: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    paused_by: Mapped[str | None]
    away_since: Mapped[datetime | None]
    problem: Mapped[str | None]
    figures: Mapped[dict[str, Any] | None] = mapped_column(OptionalJson)


class OutboxPart(Base):
    """What a receiver was told of a part. Receiver '': that the line's clock called it overdue."""

    __tablename__ = "outbox_parts"
    __table_args__ = (Index(None, "told_at"),)

    line: Mapped[str] = mapped_column(primary_key=True)
    receiver: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)
    pass_number: Mapped[int] = mapped_column(primary_key=True)
    revision: Mapped[int]
    said: Mapped[str]  # see `outputs.telling`
    overdue: Mapped[bool]  # it was called `no_verdict` before
    told_at: Mapped[datetime]
