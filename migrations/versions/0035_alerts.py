"""Alerts and dead letters say who saw to them; who was told of an alert, and by which notifier."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

_MOMENT = sa.DateTime(timezone=True)
_ALERTS: dict[str, sa.types.TypeEngine[Any]] = {
    "acknowledged_at": _MOMENT,
    "acknowledged_by": sa.String(),
    "closed_by": sa.String(),
    "note": sa.String(),
}
_LETTERS: dict[str, sa.types.TypeEngine[Any]] = {
    "addressed_at": _MOMENT,
    "addressed_by": sa.String(),
    "note": sa.String(),
}


def upgrade() -> None:
    for table, columns in (("alerts", _ALERTS), ("dead_letters", _LETTERS)):
        for name, kind in columns.items():
            op.add_column(table, sa.Column(name, kind, nullable=True))
    # Who sent it again is in the audit log alone.
    op.execute("UPDATE dead_letters SET addressed_at = requeued_at")
    op.create_table(
        "alert_notices",
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("what", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("claimed_at", _MOMENT, nullable=False),
        sa.Column("claimed_by", sa.String(), nullable=False),
        sa.Column("told_at", _MOMENT, nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", _MOMENT, nullable=True),
        sa.Column("problem", sa.String(), nullable=True),
        sa.CheckConstraint(
            "what IN ('raised', 'repeat', 'closed', 'summary')",
            name=op.f("ck_alert_notices_what"),
        ),
        sa.PrimaryKeyConstraint(
            "subject", "channel", "what", "number", name=op.f("pk_alert_notices")
        ),
    )
    op.create_index(op.f("ix_alert_notices_told_at"), "alert_notices", ["told_at"])
    op.create_table(
        "leases",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_leases")),
    )
    op.create_table(
        "worker_sightings",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("device", sa.String(), nullable=False),
        sa.Column("seen_at", _MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_worker_sightings")),
    )


def downgrade() -> None:
    for table in ("worker_sightings", "leases", "alert_notices"):
        op.drop_table(table)
    for table, columns in (("dead_letters", _LETTERS), ("alerts", _ALERTS)):
        for name in reversed(columns):
            op.drop_column(table, name)
