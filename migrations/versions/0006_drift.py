"""Baselines that cameras are compared with, and golden sets that can be frozen."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "drift_baselines",
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("camera", sa.String(), nullable=False),
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("baseline", sa.Text(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint(
            "product", "line", "camera", "model_version", name=op.f("pk_drift_baselines")
        ),
    )
    op.create_table(
        "golden_sets",
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("set_name", sa.String(), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_by", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("product", "set_name", name=op.f("pk_golden_sets")),
    )


def downgrade() -> None:
    op.drop_table("golden_sets")
    op.drop_table("drift_baselines")
