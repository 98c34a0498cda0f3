"""Pictures that could not be judged have an index of their own, and labels one by their time."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_UNJUDGED = sa.text("verdict IN ('rejected', 'dead_letter')")
_COLUMNS = ["decided_at", "verdict", "reason", "line", "camera", "product"]


def upgrade() -> None:
    op.create_index(
        "ix_inspections_unjudged",
        "inspections",
        _COLUMNS,
        postgresql_where=_UNJUDGED,
        sqlite_where=_UNJUDGED,
    )
    op.create_index(op.f("ix_labels_recorded_at"), "labels", ["recorded_at"])


def downgrade() -> None:
    op.drop_index(op.f("ix_labels_recorded_at"), "labels")
    op.drop_index("ix_inspections_unjudged", "inspections")
