"""Purged pictures without a serial number leave their ids, so that none is counted twice."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.functions import replace_function

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "purged_singles",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purged_singles")),
    )
    _commit(4)


def downgrade() -> None:
    _commit(3)
    op.drop_table("purged_singles")


def _commit(version: int) -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for statement in replace_function("linewatch_commit", version):
            connection.exec_driver_sql(statement)
