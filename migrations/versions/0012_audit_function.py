"""Functions that write for roles what they may not write themselves; whose account an entry is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from db.functions import create_functions, drop_functions

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

# What commits and replaces verdicts comes with 0031 and 0036, which have the tables that it writes.
_FUNCTIONS = (
    "linewatch_lock",
    "linewatch_audit",
    "linewatch_refuse_unknown",
    "linewatch_hours",
    "linewatch_acquit",
    "linewatch_first_id",
    "linewatch_add_month",
    "linewatch_drop_month",
)
_ADDED: tuple[tuple[str, Any], ...] = (
    ("os_uid", sa.BigInteger()),
    ("os_user", sa.String()),
    ("database_user", sa.String()),
)


def upgrade() -> None:
    form = sa.Column("format", sa.SmallInteger(), server_default="1", nullable=False)
    op.add_column("audit_log", form)
    for name, kind in _ADDED:
        op.add_column("audit_log", sa.Column(name, kind, nullable=True))
    op.create_table(
        "locks",
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_locks")),
    )
    create_functions(op.get_bind(), _FUNCTIONS)


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
    op.drop_table("locks")
    with op.batch_alter_table("audit_log") as batch:
        for name, _ in reversed(_ADDED):
            batch.drop_column(name)
        batch.drop_column("format")
