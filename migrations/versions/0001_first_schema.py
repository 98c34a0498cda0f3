"""First schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from db.views import create_view, drop_view

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_INSTANT = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_VIEWS = ("report_defect_rate_hourly", "report_pareto", "report_class_metrics")


def upgrade() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("raised_at", _INSTANT, nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=True),
        sa.Column("product", sa.String(), nullable=True),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("resolved_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
    )
    op.create_index(op.f("ix_alerts_resolved_at_raised_at"), "alerts", ["resolved_at", "raised_at"])

    op.create_table(
        "audit_log",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("action", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=False),
        sa.Column("previous_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_log")),
    )
    op.create_table(
        "dead_letters",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("received_at", _INSTANT, nullable=False),
        sa.Column("task_id", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("detail", sa.String(), nullable=False),
        sa.Column("payload", sa.String(), nullable=False),
        sa.Column("image_id", sa.Uuid(), nullable=True),
        sa.Column("requeued_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dead_letters")),
    )
    op.create_index(op.f("ix_dead_letters_received_at"), "dead_letters", ["received_at"])
    op.create_index(
        "uq_dead_letters_task",
        "dead_letters",
        ["task_id"],
        unique=True,
        sqlite_where=sa.text("image_id IS NULL"),
        postgresql_where=sa.text("image_id IS NULL"),
    )
    op.create_index(
        "uq_dead_letters_task_image",
        "dead_letters",
        ["task_id", "image_id"],
        unique=True,
        sqlite_where=sa.text("image_id IS NOT NULL"),
        postgresql_where=sa.text("image_id IS NOT NULL"),
    )

    op.create_table(
        "feature_spaces",
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("encoders", sa.String(), nullable=False),
        sa.Column("dim", sa.Integer(), nullable=False),
        sa.Column("registered_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_feature_spaces")),
    )
    op.create_table(
        "inspection_hourly",
        sa.Column("hour", _INSTANT, nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("lot", sa.String(), nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("defect_class", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "hour",
            "product",
            "line",
            "camera",
            "lot",
            "verdict",
            "defect_class",
            "model_version",
            name=op.f("pk_inspection_hourly"),
        ),
        postgresql_with={"fillfactor": 70},
    )
    op.create_table(
        "inspections",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.String(), nullable=True),
        sa.Column("line", sa.String(), nullable=True),
        sa.Column("camera", sa.String(), nullable=True),
        sa.Column("part", sa.String(), nullable=True),
        sa.Column("lot", sa.String(), nullable=True),
        sa.Column("image_uri", sa.String(), nullable=True),
        sa.Column("image_sha256", sa.String(), nullable=True),
        sa.Column("captured_at", _INSTANT, nullable=True),
        sa.Column("enqueued_at", _INSTANT, nullable=True),
        sa.Column("decided_at", _INSTANT, nullable=False),
        sa.Column("verdict", sa.String(), nullable=False),
        sa.Column("defect_class", sa.String(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.Column("model_version", sa.String(), nullable=True),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("detail", sa.String(), nullable=True),
        sa.Column("worker", sa.String(), nullable=True),
        sa.CheckConstraint(
            "verdict IN ('pass', 'defect', 'review', 'rejected', 'dead_letter')",
            name=op.f("ck_inspections_verdict"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inspections")),
    )
    op.create_index(
        op.f("ix_inspections_line_camera_decided_at"),
        "inspections",
        ["line", "camera", "decided_at"],
    )
    op.create_index(op.f("ix_inspections_part"), "inspections", ["part"])
    op.create_index(
        op.f("ix_inspections_product_decided_at"), "inspections", ["product", "decided_at"]
    )
    op.create_index(
        op.f("ix_inspections_verdict_decided_at"), "inspections", ["verdict", "decided_at"]
    )

    op.create_table(
        "lines",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("takt_budget_s", sa.Double(), nullable=True),
        sa.Column("policy", sa.String(), server_default="fifo", nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_lines")),
    )
    op.create_table(
        "products",
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("spec", _JSON, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_products")),
    )
    op.create_table(
        "shifts",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("starts_hour", sa.Integer(), nullable=False),
        sa.Column("ends_hour", sa.Integer(), nullable=False),
        sa.CheckConstraint("ends_hour BETWEEN 0 AND 24", name=op.f("ck_shifts_ends_hour")),
        sa.CheckConstraint("starts_hour BETWEEN 0 AND 23", name=op.f("ck_shifts_starts_hour")),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_shifts")),
    )
    op.create_table(
        "training_runs",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("trigger", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("started_at", _INSTANT, nullable=False),
        sa.Column("finished_at", _INSTANT, nullable=True),
        sa.Column("lease_until", _INSTANT, nullable=False),
        sa.Column("accuracy", sa.Double(), nullable=True),
        sa.Column("macro_f1", sa.Double(), nullable=True),
        sa.Column("weighted_f1", sa.Double(), nullable=True),
        sa.Column("image_count", sa.Integer(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("model_version", sa.String(), nullable=True),
        sa.CheckConstraint(
            "state IN ('running', 'succeeded', 'failed')", name=op.f("ck_training_runs_state")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training_runs")),
    )
    op.create_index(
        "uq_training_runs_running",
        "training_runs",
        ["product"],
        unique=True,
        sqlite_where=sa.text("state = 'running'"),
        postgresql_where=sa.text("state = 'running'"),
    )

    op.create_table(
        "cameras",
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("first_seen_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["line"], ["lines.code"], name=op.f("fk_cameras_line_lines")),
        sa.PrimaryKeyConstraint("line", "code", name=op.f("pk_cameras")),
    )
    op.create_table(
        "class_metrics",
        sa.Column("training_run_id", _KEY, nullable=False),
        sa.Column("class", sa.String(), nullable=False),
        sa.Column("precision", sa.Double(), nullable=True),
        sa.Column("recall", sa.Double(), nullable=True),
        sa.Column("f1", sa.Double(), nullable=True),
        sa.Column("support", sa.Integer(), nullable=False),
        sa.Column("scored", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["training_run_id"],
            ["training_runs.id"],
            name=op.f("fk_class_metrics_training_run_id_training_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("training_run_id", "class", name=op.f("pk_class_metrics")),
    )
    op.create_table(
        "confusion_cells",
        sa.Column("training_run_id", _KEY, nullable=False),
        sa.Column("actual", sa.String(), nullable=False),
        sa.Column("predicted", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["training_run_id"],
            ["training_runs.id"],
            name=op.f("fk_confusion_cells_training_run_id_training_runs"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "training_run_id", "actual", "predicted", name=op.f("pk_confusion_cells")
        ),
    )
    op.create_table(
        "defect_classes",
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.Column("prompts", _JSON, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product"],
            ["products.code"],
            name=op.f("fk_defect_classes_product_products"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("product", "code", name=op.f("pk_defect_classes")),
    )
    op.create_table(
        "features",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("vector", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.id"],
            name=op.f("fk_features_inspection_id_inspections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("inspection_id", "fingerprint", name=op.f("pk_features")),
    )
    op.create_table(
        "inspection_scores",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("probabilities", _JSON, nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.id"],
            name=op.f("fk_inspection_scores_inspection_id_inspections"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint(
            "inspection_id", "model_version", name=op.f("pk_inspection_scores")
        ),
    )
    op.create_table(
        "labels",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("labelled_by", sa.String(), nullable=False),
        sa.Column("labelled_at", _INSTANT, nullable=False),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"], ["inspections.id"], name=op.f("fk_labels_inspection_id_inspections")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_labels")),
    )
    op.create_index(
        op.f("ix_labels_inspection_id_labelled_at"), "labels", ["inspection_id", "labelled_at"]
    )
    op.create_index(op.f("ix_labels_product_recorded_at"), "labels", ["product", "recorded_at"])

    op.create_table(
        "model_versions",
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("encoders", sa.String(), nullable=False),
        sa.Column("manifest_sha256", sa.String(), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("parent", sa.String(), nullable=True),
        sa.Column("training_run_id", _KEY, nullable=True),
        sa.ForeignKeyConstraint(
            ["training_run_id"],
            ["training_runs.id"],
            name=op.f("fk_model_versions_training_run_id_training_runs"),
        ),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_model_versions")),
        sa.UniqueConstraint("product", "number", name=op.f("uq_model_versions_product_number")),
    )
    op.create_table(
        "deployments",
        sa.Column("id", _KEY, nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.CheckConstraint("role IN ('champion', 'shadow')", name=op.f("ck_deployments_role")),
        sa.ForeignKeyConstraint(
            ["version"],
            ["model_versions.version"],
            name=op.f("fk_deployments_version_model_versions"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_deployments")),
    )
    op.create_index(
        op.f("ix_deployments_product_role_id"), "deployments", ["product", "role", "id"]
    )
    for view in _VIEWS:
        op.execute(create_view(view, version=1))


def downgrade() -> None:
    for view in _VIEWS:
        op.execute(drop_view(view))
    for table in (
        "deployments",
        "model_versions",
        "labels",
        "inspection_scores",
        "features",
        "defect_classes",
        "confusion_cells",
        "class_metrics",
        "cameras",
        "training_runs",
        "shifts",
        "products",
        "lines",
        "inspections",
        "inspection_hourly",
        "feature_spaces",
        "dead_letters",
        "audit_log",
        "alerts",
    ):
        op.drop_table(table)
