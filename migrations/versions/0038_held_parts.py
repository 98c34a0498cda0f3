"""A part is counted though a purge takes its row; a labelled dead letter can be judged."""

from __future__ import annotations

from alembic import op

from db.functions import create_functions, drop_functions

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_FUNCTIONS = ("linewatch_hold", "linewatch_settle", "linewatch_resettle", "linewatch_replace")


def upgrade() -> None:
    drop_functions(
        op.get_bind(), _FUNCTIONS
    )  # a plant that followed the development has earlier ones
    create_functions(op.get_bind(), _FUNCTIONS)


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
