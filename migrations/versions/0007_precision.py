"""Precisions: which feature space another stands for, and which models agree on both."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("feature_spaces", sa.Column("reference", sa.String(), nullable=True))
    op.create_table(
        "precision_agreements",
        sa.Column("model_version", sa.String(), nullable=False),
        sa.Column("fingerprint", sa.String(), nullable=False),
        sa.Column("backend", sa.String(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.Column("same_class", sa.Double(), nullable=False),
        sa.Column("review_shift", sa.Double(), nullable=False),
        sa.Column("least_cosine", sa.Double(), nullable=False),
        sa.Column("holds", sa.Boolean(), nullable=False),
        sa.Column("measured_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["model_version"],
            ["model_versions.version"],
            name=op.f("fk_precision_agreements_model_version_model_versions"),
        ),
        sa.PrimaryKeyConstraint(
            "model_version", "fingerprint", name=op.f("pk_precision_agreements")
        ),
    )


def downgrade() -> None:
    op.drop_table("precision_agreements")
    op.drop_column("feature_spaces", "reference")
