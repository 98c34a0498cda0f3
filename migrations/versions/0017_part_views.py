"""Views of parts for BI tools."""

from __future__ import annotations

from alembic import op
from sqlalchemy import DDL

from db.views import create_view, drop_view

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_VIEWS = ("report_parts", "report_part_counts", "report_part_shifts", "report_part_rates")


def upgrade() -> None:
    dialect = op.get_bind().dialect.name
    for name in _VIEWS:
        view = create_view(name, 1, dialect)
        # In a plain text, %H:%M would name a parameter.
        op.execute(DDL(view.replace("%", "%%")))  # type: ignore[no-untyped-call]


def downgrade() -> None:
    for name in _VIEWS:
        op.execute(drop_view(name))
