"""Model versions say what they promise, and whether that is provisional."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("model_versions", sa.Column("promise", sa.String(), nullable=True))
    op.add_column(
        "model_versions",
        sa.Column("provisional", sa.Boolean(), server_default=sa.false(), nullable=False),
    )


def downgrade() -> None:
    op.drop_column("model_versions", "provisional")
    op.drop_column("model_versions", "promise")
