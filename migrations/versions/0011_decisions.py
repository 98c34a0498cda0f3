"""People's decisions on whole parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "decisions",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("part", sa.String(), nullable=False),
        sa.Column("pass_number", sa.Integer(), nullable=True),
        sa.Column("disposition", sa.String(), nullable=False),
        sa.Column("defect_class", sa.String(), nullable=True),
        sa.Column("decided_by", sa.String(), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.CheckConstraint(
            "(disposition = 'conforming' AND defect_class IS NULL)"
            " OR (disposition = 'nonconforming' AND defect_class IS NOT NULL)",
            name=op.f("ck_decisions_disposition"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    op.create_index(
        op.f("ix_decisions_product_part_decided_at"),
        "decisions",
        ["product", "part", "decided_at"],
    )


def downgrade() -> None:
    op.drop_table("decisions")
