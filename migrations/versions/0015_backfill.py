"""How far inspections of before there were parts have been counted as parts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "part_backfill",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("until", sa.Uuid(), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_part_backfill")),
    )
    # Without a row there is nothing to count.
    op.execute(
        "INSERT INTO part_backfill (name) SELECT 'parts' WHERE EXISTS (SELECT 1 FROM inspections)"
    )


def downgrade() -> None:
    op.drop_table("part_backfill")
