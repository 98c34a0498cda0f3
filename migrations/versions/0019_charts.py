"""Control charts: frozen baselines, signals, and what was done about them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.base import Json

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "chart_baselines",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("product", sa.String(), nullable=False),
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("class", sa.String(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("rate", sa.Double(), nullable=False),
        sa.Column("sigma_z", sa.Double(), nullable=False),
        sa.Column("subgroups", sa.Integer(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.Column("from_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("to_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("left_out", Json, nullable=False),
        sa.Column("rule_set", sa.String(), nullable=False),
        sa.Column("arl", sa.Double(), nullable=True),
        sa.Column("frozen_by", sa.String(), nullable=False),
        sa.Column("frozen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.CheckConstraint(
            "by IN ('shift', 'hour', 'lot', 'n')", name=op.f("ck_chart_baselines_by")
        ),
        sa.CheckConstraint("kind IN ('p', 'laney_p', 'g')", name=op.f("ck_chart_baselines_kind")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_baselines")),
    )
    op.create_index(op.f("ix_chart_baselines_product_line"), "chart_baselines", ["product", "line"])
    op.create_table(
        "chart_signals",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "baseline_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("subgroup", sa.String(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rule", sa.String(), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("lower", sa.Double(), nullable=False),
        sa.Column("centre", sa.Double(), nullable=False),
        sa.Column("upper", sa.Double(), nullable=False),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("alert_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["baseline_id"],
            ["chart_baselines.id"],
            name=op.f("fk_chart_signals_baseline_id_chart_baselines"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_signals")),
        sa.UniqueConstraint(
            "baseline_id",
            "subgroup",
            "rule",
            name=op.f("uq_chart_signals_baseline_id_subgroup_rule"),
        ),
    )
    op.create_table(
        "chart_reactions",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column(
            "signal_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False
        ),
        sa.Column("reacted_by", sa.String(), nullable=False),
        sa.Column("reacted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("did", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["signal_id"],
            ["chart_signals.id"],
            name=op.f("fk_chart_reactions_signal_id_chart_signals"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chart_reactions")),
    )
    op.create_index(op.f("ix_chart_reactions_signal_id"), "chart_reactions", ["signal_id"])


def downgrade() -> None:
    op.drop_table("chart_reactions")
    op.drop_table("chart_signals")
    op.drop_table("chart_baselines")
