"""Gate decisions, the shadow's verdicts beside its scores, and how far a training run has come."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")
_ADDED: tuple[tuple[str, str, Any], ...] = (
    ("inspection_scores", "verdict", sa.String()),
    ("inspection_scores", "reason", sa.String()),
    ("training_runs", "stage", sa.String()),
    ("training_runs", "progress", sa.Double()),
)


def upgrade() -> None:
    op.create_table(
        "gate_decisions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("challenger", sa.String(), nullable=False),
        sa.Column("champion", sa.String(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("reasons", _JSON, nullable=False),
        sa.Column("figures", _JSON, nullable=False),
        sa.Column("golden_digest", sa.String(), nullable=True),
        sa.Column("by", sa.String(), nullable=False),
        sa.CheckConstraint(
            "outcome IN ('passed', 'failed', 'undecided', 'first')",
            name=op.f("ck_gate_decisions_outcome"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gate_decisions")),
    )
    op.create_index(op.f("ix_gate_decisions_product_id"), "gate_decisions", ["product", "id"])
    for table, column, kind in _ADDED:
        op.add_column(table, sa.Column(column, kind, nullable=True))
    op.add_column(
        "model_versions", sa.Column("kind", sa.String(), nullable=False, server_default="fitted")
    )


def downgrade() -> None:
    op.drop_column("model_versions", "kind")
    for table, column, _ in reversed(_ADDED):
        op.drop_column(table, column)
    op.drop_table("gate_decisions")
