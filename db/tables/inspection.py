"""The facts: one row a picture, its scores and features, and the hourly roll-up of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, OptionalJson
from producer.contract import Verdict

_VERDICTS = ", ".join(f"'{verdict}'" for verdict in Verdict)


def _by_file(column: str) -> tuple[Index, Index]:
    """How a picture is found by its file; see `db.inspections.by_file`.

    On PostgreSQL by day and a hash: the day keeps inserts on a few pages, where an index of hashes
    alone, or of digests, would write to another page of millions of rows for each picture.
    """
    words = text("((decided_at AT TIME ZONE 'UTC')::date)"), text(f"hashtext({column})")
    by_day = Index(f"ix_inspections_{column}_by_day", *words, info={"database": "postgresql"})
    plain = Index(f"ix_inspections_{column}", column, info={"database": "sqlite"})
    return by_day.ddl_if(dialect="postgresql"), plain.ddl_if(dialect="sqlite")


def _by_time() -> tuple[Index, Index]:
    """How it is found what was decided since a time.

    PostgreSQL keeps the least and the greatest of each hundred pages or so, which takes next to no
    room and no time at a commit: rows lie about in order of time. SQLite has no such index.
    """
    blocks = Index(
        "ix_inspections_decided_at",
        "decided_at",
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
        info={"database": "postgresql"},
    )
    plain = Index(
        "ix_inspections_verdict_decided_at", "verdict", "decided_at", info={"database": "sqlite"}
    )
    return blocks.ddl_if(dialect="postgresql"), plain.ddl_if(dialect="sqlite")


_UNJUDGED = ("decided_at", "verdict", "reason", "line", "camera", "product")
# Pictures without a serial number that were left to people: parts of which no table has a row.
LEFT_ALONE = "verdict IN ('review', 'rejected', 'dead_letter') AND coalesce(part, '') = ''"
_ALONE = text(LEFT_ALONE)
_FEW = text("verdict IN ('rejected', 'dead_letter')")


class Inspection(Base):
    """A picture and how it ended.

    The id is the producer's, a UUIDv7: rows lie in order of time, and months can become partitions
    by ranges of ids without a second key. Columns are null where a message could not be read.
    """

    __tablename__ = "inspections"
    __table_args__ = (
        CheckConstraint(f"verdict IN ({_VERDICTS})", name="verdict"),
        Index(None, "product", "decided_at"),
        Index(None, "line", "camera", "decided_at"),
        *_by_time(),
        Index(None, "part"),
        # Few, and a report reads nothing else of them.
        Index("ix_inspections_unjudged", *_UNJUDGED, postgresql_where=_FEW, sqlite_where=_FEW),
        Index(
            "ix_inspections_alone",
            *("product", "decided_at"),
            postgresql_where=_ALONE,
            sqlite_where=_ALONE,
        ),
        *_by_file("image_sha256"),
        *_by_file("image_uri"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    product: Mapped[str | None]
    line: Mapped[str | None]
    camera: Mapped[str | None]
    part: Mapped[str | None]
    lot: Mapped[str | None]
    image_uri: Mapped[str | None]
    image_sha256: Mapped[str | None]
    captured_at: Mapped[datetime | None]
    enqueued_at: Mapped[datetime | None]
    decided_at: Mapped[datetime]
    verdict: Mapped[str]
    defect_class: Mapped[str | None]  # the model's first choice, whatever the verdict
    confidence: Mapped[float | None]
    model_version: Mapped[str | None]
    attempt: Mapped[int]
    reason: Mapped[str | None]
    detail: Mapped[str | None]
    worker: Mapped[str | None]
    # What the message may say besides, see docs/protocol.md. `seen` is kept where it says more than
    # image_sha256 does: of files that were not judged, or of which only blocks were hashed.
    seen: Mapped[dict[str, Any] | None] = mapped_column(OptionalJson)
    pass_number: Mapped[int | None]
    views: Mapped[list[str] | None] = mapped_column(OptionalJson)
    work_order: Mapped[str | None]
    purpose: Mapped[str | None]
    site: Mapped[str | None]
    trace_id: Mapped[str | None]
    # When it was made: captured_at, or the database's own time where that is not to be believed.
    made_at: Mapped[datetime | None]
    by_receipt: Mapped[bool | None]


class InspectionScore(Base):
    """What a shadow thought of a picture: `{class: probability}`, and its verdict, that has no say.

    One row a picture and model, not one a class: nobody asks for one class's probability without
    the others. The champion has no row: its choice is in the inspection, and nothing reads the
    rest, which was half of the database. Rows without a verdict are champions' of before 0.2.0.
    """

    __tablename__ = "inspection_scores"

    inspection_id: Mapped[UUID] = mapped_column(
        ForeignKey("inspections.id", ondelete="CASCADE"), primary_key=True
    )
    model_version: Mapped[str] = mapped_column(primary_key=True)
    probabilities: Mapped[dict[str, Any]]
    verdict: Mapped[str | None]
    reason: Mapped[str | None]


class Feature(Base):
    """A picture's feature vector (float16, little endian) under one fingerprint of encoders."""

    __tablename__ = "features"

    inspection_id: Mapped[UUID] = mapped_column(
        ForeignKey("inspections.id", ondelete="CASCADE"), primary_key=True
    )
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    vector: Mapped[bytes]
    created_at: Mapped[datetime]


class FeatureCopy(Base):
    """The features of a copy of a labelled picture, changed as its product's symmetry allows.

    `copy` is its name, see `vision.copy_names`. Models learn from copies and judge none.
    """

    __tablename__ = "feature_copies"

    inspection_id: Mapped[UUID] = mapped_column(
        ForeignKey("inspections.id", ondelete="CASCADE"), primary_key=True
    )
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    copy: Mapped[str] = mapped_column(primary_key=True)
    vector: Mapped[bytes]
    created_at: Mapped[datetime]


class PatchTokens(Base):
    """The places of a picture that is labelled good, which models remember.

    `tokens` are float16, little endian, each of `width` numbers; `look` says what made them, see
    `vision.patch_stages`.
    """

    __tablename__ = "patch_tokens"

    inspection_id: Mapped[UUID] = mapped_column(
        ForeignKey("inspections.id", ondelete="CASCADE"), primary_key=True
    )
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    look: Mapped[str] = mapped_column(primary_key=True)
    width: Mapped[int]
    tokens: Mapped[bytes]
    created_at: Mapped[datetime]


class UnlikeMap(Base):
    """How unlike good a model found a picture, and where: kept and purged with its features.

    `places` are float16, little endian, `height` × `width` of them, row by row. They cover the
    picture from (x0, y0) to (x1, y1), in fractions of its sides. There is no foreign key, or
    dropping a month of inspections would have to read all that is left.
    """

    __tablename__ = "unlike_maps"

    inspection_id: Mapped[UUID] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(primary_key=True)
    score: Mapped[float]
    border: Mapped[float]
    height: Mapped[int]
    width: Mapped[int]
    x0: Mapped[float]
    y0: Mapped[float]
    x1: Mapped[float]
    y1: Mapped[float]
    places: Mapped[bytes]
    created_at: Mapped[datetime]


class InspectionHourly(Base):
    """How many pictures ended how in an hour: reports cost hours, not parts.

    `hour` is the instant at which the plant's hour began, see `db.inspections.hours`. '' stands for
    none, since a primary key holds no nulls.
    """

    __tablename__ = "inspection_hourly"
    # Room on each page lets PostgreSQL update a count in place, without touching the index.
    __table_args__ = ({"postgresql_with": {"fillfactor": 70}},)

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(primary_key=True)
    lot: Mapped[str] = mapped_column(primary_key=True)
    verdict: Mapped[str] = mapped_column(primary_key=True)
    defect_class: Mapped[str] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)


class PictureHour(Base):
    """The same with a column for each verdict and without defect classes: a third of the rows.

    On PostgreSQL, up to the mark of `retention_marks` that is called `picture_hours`: younger hours
    still change with every commit, and SQLite's plants are small. See `db.inspections.rolled_up`.
    """

    __tablename__ = "picture_hours"

    hour: Mapped[datetime] = mapped_column(primary_key=True)
    product: Mapped[str] = mapped_column(primary_key=True)
    line: Mapped[str] = mapped_column(primary_key=True)
    camera: Mapped[str] = mapped_column(primary_key=True)
    lot: Mapped[str] = mapped_column(primary_key=True)
    model_version: Mapped[str] = mapped_column(primary_key=True)
    passed: Mapped[int]
    defects: Mapped[int]
    review: Mapped[int]
    rejected: Mapped[int]
    dead_letter: Mapped[int]
