"""Purged pictures without a serial number leave their ids, so that none is counted twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.functions import create_functions, drop_functions

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None

_FUNCTIONS = ("linewatch_commit",)


def upgrade() -> None:
    op.create_table(
        "purged_singles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purged_singles")),
    )
    create_functions(op.get_bind(), _FUNCTIONS)


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
    op.drop_table("purged_singles")
