"""A recount that looks at pieces of the history by sums, several at a time."""

from __future__ import annotations

from alembic import op

from db.functions import create_functions, drop_functions

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_FUNCTIONS = (
    "linewatch_mix",
    "linewatch_pieces",
    "linewatch_suspects",
    "linewatch_recount",
    "linewatch_recount_shifts",
)


def upgrade() -> None:
    create_functions(op.get_bind(), _FUNCTIONS)


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
