"""Pictures are found by day and a hash of their file's place or content, not by a hash alone.

And maintenance may count what partitioned tables hold, for the planner.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.functions import create_function, drop_function

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_COLUMNS = ("image_sha256", "image_uri")
_DAY = sa.text("((decided_at AT TIME ZONE 'UTC')::date)")


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return  # one file, and no log of whole pages: there the plain indexes are as good
    for column in _COLUMNS:
        op.drop_index(op.f(f"ix_inspections_{column}"), "inspections")
        op.create_index(
            f"ix_inspections_{column}_by_day", "inspections", [_DAY, sa.text(f"hashtext({column})")]
        )
    for statement in create_function("linewatch_analyse", 1):
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute(drop_function("linewatch_analyse"))
    for column in reversed(_COLUMNS):
        op.drop_index(f"ix_inspections_{column}_by_day", "inspections")
        op.create_index(
            op.f(f"ix_inspections_{column}"), "inspections", [column], postgresql_using="hash"
        )
