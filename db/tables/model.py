"""Model versions, the runs that trained them, how well they did, and which one is in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column

from db.base import Base, Json, SerialKey


class FeatureSpace(Base):
    """A fingerprint of encoders and recipe that some worker made features with."""

    __tablename__ = "feature_spaces"

    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    encoders: Mapped[str]
    dim: Mapped[int]
    registered_at: Mapped[datetime]
    reference: Mapped[str | None]  # the float32 space whose precision this is; null: itself


class PrecisionAgreement(Base):
    """How a model judges features of a precision other than the one it was fitted on, measured."""

    __tablename__ = "precision_agreements"

    model_version: Mapped[str] = mapped_column(
        ForeignKey("model_versions.version"), primary_key=True
    )
    fingerprint: Mapped[str] = mapped_column(primary_key=True)
    backend: Mapped[str]
    pictures: Mapped[int]
    same_class: Mapped[float]
    review_shift: Mapped[float]
    least_cosine: Mapped[float]
    holds: Mapped[bool]
    measured_at: Mapped[datetime]
    by: Mapped[str]


class ModelVersion(Base):
    """A model in the store; `manifest_sha256` ties the row to the files."""

    __tablename__ = "model_versions"
    __table_args__ = (UniqueConstraint("product", "number"),)

    version: Mapped[str] = mapped_column(primary_key=True)
    product: Mapped[str]
    number: Mapped[int]
    fingerprint: Mapped[str]
    encoders: Mapped[str]
    manifest_sha256: Mapped[str]
    created_at: Mapped[datetime]
    parent: Mapped[str | None]
    training_run_id: Mapped[int | None] = mapped_column(ForeignKey("training_runs.id"))
    kind: Mapped[str] = mapped_column(server_default="fitted")  # zero-shot, few-shot, good-only
    promise: Mapped[str | None]  # in words, of the share of defects that passes
    provisional: Mapped[bool] = mapped_column(server_default=false())  # it is not proven


class TrainingRun(Base):
    """One training. At most one a product is running: the partial unique index says so."""

    __tablename__ = "training_runs"
    __table_args__ = (
        CheckConstraint("state IN ('running', 'succeeded', 'failed')", name="state"),
        Index(
            "uq_training_runs_running",
            "product",
            unique=True,
            sqlite_where=text("state = 'running'"),
            postgresql_where=text("state = 'running'"),
        ),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    product: Mapped[str]
    trigger: Mapped[str]
    state: Mapped[str]
    started_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]
    lease_until: Mapped[datetime]
    accuracy: Mapped[float | None]
    macro_f1: Mapped[float | None]
    weighted_f1: Mapped[float | None]
    image_count: Mapped[int | None]
    error: Mapped[str | None]
    model_version: Mapped[str | None]
    stage: Mapped[str | None]  # what it is at, in words
    progress: Mapped[float | None]  # 0 to 1


class ClassMetric(Base):
    """A class's cross-validated figures; null, and `scored` false, where it had too few images."""

    __tablename__ = "class_metrics"

    training_run_id: Mapped[int] = mapped_column(
        ForeignKey("training_runs.id", ondelete="CASCADE"), primary_key=True
    )
    class_code: Mapped[str] = mapped_column("class", primary_key=True)
    precision: Mapped[float | None]
    recall: Mapped[float | None]
    f1: Mapped[float | None]
    support: Mapped[int]
    scored: Mapped[bool]


class ConfusionCell(Base):
    """How many pictures of class `actual` were taken for `predicted`."""

    __tablename__ = "confusion_cells"

    training_run_id: Mapped[int] = mapped_column(
        ForeignKey("training_runs.id", ondelete="CASCADE"), primary_key=True
    )
    actual: Mapped[str] = mapped_column(primary_key=True)
    predicted: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int]


class Deployment(Base):
    """Which version serves a product. Append-only; the newest of a product and role is in force.

    A null version says that none is: the champion was retired, or the shadow switched off.
    """

    __tablename__ = "deployments"
    __table_args__ = (
        CheckConstraint("role IN ('champion', 'shadow')", name="role"),
        Index(None, "product", "role", "id"),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    product: Mapped[str]
    version: Mapped[str | None] = mapped_column(ForeignKey("model_versions.version"))
    role: Mapped[str]
    since: Mapped[datetime]
    by: Mapped[str]
    why: Mapped[str]


class GateDecision(Base):
    """What the gate said of a challenger, and why. Append-only.

    No foreign keys: a decision outlives whatever is said of its versions later.
    """

    __tablename__ = "gate_decisions"
    __table_args__ = (
        CheckConstraint("outcome IN ('passed', 'failed', 'undecided', 'first')", name="outcome"),
        Index(None, "product", "id"),
    )

    id: Mapped[int] = mapped_column(SerialKey, primary_key=True)
    product: Mapped[str]
    challenger: Mapped[str]
    champion: Mapped[str | None]
    decided_at: Mapped[datetime]
    outcome: Mapped[str]
    reasons: Mapped[list[str]] = mapped_column(Json)
    figures: Mapped[dict[str, Any]]
    golden_digest: Mapped[str | None]
    by: Mapped[str]
