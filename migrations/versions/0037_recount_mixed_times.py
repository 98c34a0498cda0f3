"""A recount proves parts of which one picture has a time of its own and another has none."""

from __future__ import annotations

from alembic import op

from db.functions import create_functions, drop_functions

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_FUNCTIONS = ("linewatch_unproven",)


def upgrade() -> None:
    create_functions(op.get_bind(), _FUNCTIONS)


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
