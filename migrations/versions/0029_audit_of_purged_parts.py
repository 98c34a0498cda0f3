"""The audit sample loses passes that are no parts any more, and none that a purge took."""

from __future__ import annotations

from alembic import op

from db.functions import create_functions, drop_functions

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_FUNCTIONS = ("linewatch_draw_parts",)


def upgrade() -> None:
    create_functions(op.get_bind(), _FUNCTIONS)


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
