"""What is to be told to the lines: the outbox, and how far each receiver has been told."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.base import Json, OptionalJson
from db.functions import create_functions, drop_functions

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_FUNCTIONS = ("linewatch_append", "linewatch_outbox")


def upgrade() -> None:
    _tables()
    create_functions(op.get_bind(), _FUNCTIONS)


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
    for table in ("outbox_parts", "outbox_cursors", "outbox", "outbox_lines"):
        op.drop_table(table)


def _tables() -> None:
    op.create_table(
        "outbox_lines",
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("since", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("line", name=op.f("pk_outbox_lines")),
    )
    op.create_table(
        "outbox",
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("entries", Json, nullable=False),
        sa.Column("written_at", _INSTANT, nullable=False),
        sa.CheckConstraint("kind IN ('pictures', 'parts', 'overdue')", name=op.f("ck_outbox_kind")),
        sa.PrimaryKeyConstraint("line", "last", name=op.f("pk_outbox")),
    )
    op.create_index(op.f("ix_outbox_written_at"), "outbox", ["written_at"])
    op.create_table(
        "outbox_cursors",
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("receiver", sa.String(), nullable=False),
        sa.Column("told", sa.BigInteger(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("moved_at", _INSTANT, nullable=False),
        sa.Column("owner", sa.String(), nullable=True),
        sa.Column("lease_until", _INSTANT, nullable=True),
        sa.Column("paused_at", _INSTANT, nullable=True),
        sa.Column("paused_by", sa.String(), nullable=True),
        sa.Column("away_since", _INSTANT, nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.Column("figures", OptionalJson, nullable=True),
        sa.PrimaryKeyConstraint("line", "receiver", name=op.f("pk_outbox_cursors")),
    )
    names = ("line", "receiver", "product", "serial", "scope")
    op.create_table(
        "outbox_parts",
        *(sa.Column(name, sa.String(), nullable=False) for name in names),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("said", sa.String(), nullable=False),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("told_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint(*names, "pass_number", name=op.f("pk_outbox_parts")),
    )
    op.create_index(op.f("ix_outbox_parts_told_at"), "outbox_parts", ["told_at"])
