"""On PostgreSQL what was decided since a time is found by ranges of pages, not by each row."""

from __future__ import annotations

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_BY_VERDICT = "ix_inspections_verdict_decided_at"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_index(
        op.f("ix_inspections_decided_at"),
        "inspections",
        ["decided_at"],
        postgresql_using="brin",
        postgresql_with={"autosummarize": "on"},
    )
    op.drop_index(op.f(_BY_VERDICT), "inspections")


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.create_index(op.f(_BY_VERDICT), "inspections", ["verdict", "decided_at"])
    op.drop_index(op.f("ix_inspections_decided_at"), "inspections")
