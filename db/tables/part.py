"""Parts and how many there are of each kind, by the time at which they were made."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, Index, TextClause, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, OptionalJson

_DISPOSITIONS = "disposition IN ('conforming', 'nonconforming', 'open')"
_OPEN = text("disposition = 'open' AND counted")
_WAITING = ("line", "product", "why", "made_at")


def not_by_model() -> TextClause:
    """Parts that are open, or that people decided: few, and those that have `ix_parts_people`."""
    return text("decided_by <> 'model'")


_PEOPLE = not_by_model()


class Part(Base):
    """One pass of a part through the line: what its views and people's decisions make of it.

    The row is what the counts say of it, so whoever changes it changes them by the difference. The
    row of scope '' and pass 1 is also what is locked for a serial number; where there is no such
    pass it is not `counted`. A picture without a serial number has a row only once something
    happened to it after its commit: its `serial` is '', its `scope` the picture's id.
    """

    __tablename__ = "parts"
    __table_args__ = (
        CheckConstraint(_DISPOSITIONS, name="disposition"),
        Index("ix_parts_open", *_WAITING, postgresql_where=_OPEN, sqlite_where=_OPEN),
        Index("ix_parts_people", "product", "lot", postgresql_where=_PEOPLE, sqlite_where=_PEOPLE),
        Index(None, "made_at", postgresql_using="brin"),
        {"postgresql_with": {"fillfactor": 80}},
    )

    product: Mapped[str] = mapped_column(primary_key=True)
    serial: Mapped[str] = mapped_column(primary_key=True)
    scope: Mapped[str] = mapped_column(primary_key=True)  # the lot or day that a serial is of
    pass_number: Mapped[int] = mapped_column(primary_key=True)
    counted: Mapped[bool]
    views: Mapped[int]  # pictures
    line: Mapped[str]
    lot: Mapped[str]
    work_order: Mapped[str]
    model_version: Mapped[str]
    disposition: Mapped[str]
    classes: Mapped[str]  # defect classes, sorted, joined by +
    decided_by: Mapped[str]  # model, person, or '' while it is open
    why: Mapped[str]  # it is open: review, rejected, incomplete
    model_disposition: Mapped[str]  # what it would be without people
    model_classes: Mapped[str]
    made_at: Mapped[datetime | None]  # of the first picture
    last_at: Mapped[datetime | None]  # of the last
    by_receipt: Mapped[bool]  # made_at is when the database got it: its own clock was not believed
    slice_at: Mapped[datetime | None]
    shift_at: Mapped[datetime | None]
    shift_ends_at: Mapped[datetime | None]
    shift: Mapped[str | None]
    plant_day: Mapped[date | None]


class PurgedView(Base):
    """What is kept of a purged picture of a part: enough to say what the part is."""

    __tablename__ = "purged_views"
    __table_args__ = (Index(None, "product", "part"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product: Mapped[str]
    part: Mapped[str]
    line: Mapped[str | None]
    camera: Mapped[str | None]
    lot: Mapped[str | None]
    work_order: Mapped[str | None]
    model_version: Mapped[str | None]
    verdict: Mapped[str]
    defect_class: Mapped[str | None]
    pass_number: Mapped[int | None]
    views: Mapped[list[str] | None] = mapped_column(OptionalJson)
    purpose: Mapped[str | None]
    made_at: Mapped[datetime]
    by_receipt: Mapped[bool]


class PurgedSingle(Base):
    """A purged picture without a serial number: it is counted, should its message come again."""

    __tablename__ = "purged_singles"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product: Mapped[str]


class PartBackfill(Base):
    """How far inspections of before there were parts are counted; `parts`, or no row at all."""

    __tablename__ = "part_backfill"

    name: Mapped[str] = mapped_column(primary_key=True)
    until: Mapped[UUID | None]  # the last inspection that is counted, in order of ids
    finished_at: Mapped[datetime | None]
    # Before that, some had been purged already, and what is left are mostly labelled ones.
    complete_since: Mapped[datetime | None]


class _Counted:
    """What parts are counted by; '' stands for none, since a primary key holds no nulls."""

    line: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    lot: Mapped[str] = mapped_column(primary_key=True)
    work_order: Mapped[str] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(primary_key=True)
    disposition: Mapped[str] = mapped_column(primary_key=True)
    classes: Mapped[str] = mapped_column(primary_key=True)
    decided_by: Mapped[str] = mapped_column(primary_key=True)
    why: Mapped[str] = mapped_column(primary_key=True)
    model_disposition: Mapped[str] = mapped_column(primary_key=True)
    again: Mapped[bool] = mapped_column(primary_key=True)  # a later pass: a re-inspection
    serialised: Mapped[bool] = mapped_column(primary_key=True)
    by_receipt: Mapped[bool] = mapped_column(primary_key=True)
    # Of the shift, which `shift_at` and the line say already.
    shift_ends_at: Mapped[datetime]
    shift: Mapped[str]
    plant_day: Mapped[date]
    parts: Mapped[int] = mapped_column(BigInteger)


class PartCount(_Counted, Base):
    """Parts by slice: a UTC quarter hour, cut where a shift of its line begins.

    `slice_at` is the later of the quarter hour's beginning and the shift's, so slices of a shift
    sum up to it exactly, whatever minute it begins at.
    """

    __tablename__ = "part_counts"
    __table_args__: Any = (
        Index(None, "line", "slice_at"),
        Index(None, "product", "lot"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    slice_at: Mapped[datetime] = mapped_column(primary_key=True)
    shift_at: Mapped[datetime]


class PartShiftCount(_Counted, Base):
    """The same by whole shifts, for long ranges."""

    __tablename__ = "part_shift_counts"
    __table_args__: Any = (
        Index(None, "product", "lot"),
        {"postgresql_with": {"fillfactor": 70}},
    )

    shift_at: Mapped[datetime] = mapped_column(primary_key=True)


class ShiftSpan(Base):
    """A shift of one day, or the time between two, as an interval: `starts_at` <= t < `ends_at`.

    Made from the calendars, ahead of time, without holes. Line '' stands for every line that has
    no calendar of its own.
    """

    __tablename__ = "shift_spans"

    line: Mapped[str] = mapped_column(primary_key=True)
    starts_at: Mapped[datetime] = mapped_column(primary_key=True)
    ends_at: Mapped[datetime]
    shift: Mapped[str]
    plant_day: Mapped[date]  # on which the shift began, by the plant's clock


class ShiftCalendar(Base):
    """A line's shifts from a day on, as `linewatch shifts import` read them."""

    __tablename__ = "shift_calendars"

    line: Mapped[str] = mapped_column(primary_key=True)
    valid_from: Mapped[date] = mapped_column(primary_key=True)
    spec: Mapped[dict[str, Any]]
    set_by: Mapped[str]
    set_at: Mapped[datetime]
