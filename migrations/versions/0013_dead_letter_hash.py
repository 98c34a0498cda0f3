"""Dead letters are told apart by what they keep, not by the task id that a message gives itself."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_TABLE = "dead_letters"
_BYTES = {"sqlite": "length(CAST(payload AS BLOB))", "postgresql": "octet_length(payload)"}


def upgrade() -> None:
    op.add_column(_TABLE, sa.Column("digest", sa.String(), nullable=True))
    op.add_column(_TABLE, sa.Column("size", sa.Integer(), nullable=True))
    # Older letters keep a name of their own: the same message again would be another letter.
    size = _BYTES[op.get_bind().dialect.name]
    op.execute(f"UPDATE {_TABLE} SET digest = 'before-0013-' || id, size = {size}")  # noqa: S608
    with op.batch_alter_table(_TABLE) as batch:
        batch.alter_column("digest", existing_type=sa.String(), nullable=False)
        batch.alter_column("size", existing_type=sa.Integer(), nullable=False)
    op.drop_index("uq_dead_letters_task", table_name=_TABLE)
    op.drop_index("uq_dead_letters_task_image", table_name=_TABLE)
    op.create_index("uq_dead_letters_digest", _TABLE, ["digest"], unique=True)
    op.create_index(op.f("ix_dead_letters_task_id"), _TABLE, ["task_id"])
    op.create_index(op.f("ix_dead_letters_reason_size"), _TABLE, ["reason", "size"])


def downgrade() -> None:
    op.drop_index(op.f("ix_dead_letters_reason_size"), table_name=_TABLE)
    op.drop_index(op.f("ix_dead_letters_task_id"), table_name=_TABLE)
    op.drop_index("uq_dead_letters_digest", table_name=_TABLE)
    # Letters of one task that were two stay two: they lose the task's id, not their payload.
    twins = f"SELECT max(id) FROM {_TABLE} GROUP BY task_id, image_id"  # noqa: S608
    op.execute(f"UPDATE {_TABLE} SET task_id = NULL WHERE id NOT IN ({twins})")  # noqa: S608
    with op.batch_alter_table(_TABLE) as batch:
        batch.drop_column("size")
        batch.drop_column("digest")
    for name, where, columns in (
        ("uq_dead_letters_task", "image_id IS NULL", ["task_id"]),
        ("uq_dead_letters_task_image", "image_id IS NOT NULL", ["task_id", "image_id"]),
    ):
        clause = sa.text(where)
        op.create_index(
            name, _TABLE, columns, unique=True, sqlite_where=clause, postgresql_where=clause
        )
