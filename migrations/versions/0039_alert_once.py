"""At most one alert about the same is open, whoever raises it; second ones are closed."""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

_SAME = ("kind", "severity", "line", "product", "message", "source")
_NOTE = "raised twice; the other one stands"


def upgrade() -> None:
    op.add_column("alerts", sa.Column("digest", sa.String(), nullable=True))
    _close_second_ones(op.get_bind())
    stands = sa.text("resolved_at IS NULL")
    op.create_index(
        "uq_alerts_open",
        "alerts",
        ["digest"],
        unique=True,
        postgresql_where=stands,
        sqlite_where=stands,
    )


def downgrade() -> None:
    op.drop_index("uq_alerts_open", "alerts")
    op.drop_column("alerts", "digest")


def _close_second_ones(connection: sa.Connection) -> None:
    """Of those in the same words one stays: that somebody saw to, or that was seen last."""
    moment = sa.DateTime(timezone=True)
    alerts = sa.table(
        "alerts",
        sa.column("id", sa.BigInteger()),
        sa.column("note", sa.String()),
        *(sa.column(name, sa.String()) for name in _SAME),
        *(sa.column(n, moment) for n in ("raised_at", "seen_at", "acknowledged_at", "resolved_at")),
    )
    c = alerts.c
    first = (
        c.acknowledged_at.is_(None),
        sa.func.coalesce(c.seen_at, c.raised_at).desc(),
        c.id,
    )
    place = sa.func.row_number().over(partition_by=[c[name] for name in _SAME], order_by=first)
    ranked = sa.select(c.id, place.label("place")).where(c.resolved_at.is_(None)).subquery()
    second = sa.select(ranked.c.id).where(ranked.c.place > 1)
    closed = {"resolved_at": datetime.now(UTC), "note": sa.func.coalesce(c.note, _NOTE)}
    connection.execute(sa.update(alerts).where(c.id.in_(second)).values(closed))
