"""Golden sets, how far purges have come, and finding a picture by its file."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "golden_items",
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("set_name", sa.String(), nullable=False),
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        sa.Column("label", sa.String(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("added_by", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.id"],
            name=op.f("fk_golden_items_inspection_id_inspections"),
        ),
        sa.PrimaryKeyConstraint(
            "product", "set_name", "inspection_id", name=op.f("pk_golden_items")
        ),
    )
    op.create_index(op.f("ix_golden_items_inspection_id"), "golden_items", ["inspection_id"])
    op.create_table(
        "retention_marks",
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "product", name=op.f("pk_retention_marks")),
    )
    for column in ("image_sha256", "image_uri"):
        op.create_index(
            op.f(f"ix_inspections_{column}"), "inspections", [column], postgresql_using="hash"
        )


def downgrade() -> None:
    for column in ("image_uri", "image_sha256"):
        op.drop_index(op.f(f"ix_inspections_{column}"), "inspections")
    op.drop_table("retention_marks")
    op.drop_table("golden_items")
