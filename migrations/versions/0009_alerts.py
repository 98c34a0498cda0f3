"""Alerts: which worker one is about, and when it said so last."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alerts", sa.Column("source", sa.String(), nullable=True))
    op.add_column("alerts", sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("alerts", "seen_at")
    op.drop_column("alerts", "source")
