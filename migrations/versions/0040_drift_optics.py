"""Charts of light and focus beside a camera's others, where workers of 0.1.0 do not look."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("drift_baselines", sa.Column("optics", sa.Text(), nullable=True))


def downgrade() -> None:
    op.drop_column("drift_baselines", "optics")
