"""What settles parts again and fills in those of before, with plans that do for large tables."""

from __future__ import annotations

from alembic import op

from db.functions import create_functions, drop_functions

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_FUNCTIONS = ("linewatch_adopt", "linewatch_backfill", "linewatch_rows_of")


def upgrade() -> None:
    create_functions(op.get_bind(), _FUNCTIONS)


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
