"""What a message and a product file may say since 0.2: columns, all of them empty at first."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_COLUMNS: dict[str, Any] = {
    "seen": _JSON,
    "pass_number": sa.Integer(),
    "views": _JSON,
    "work_order": sa.String(),
    "purpose": sa.String(),
    "site": sa.String(),
    "trace_id": sa.String(),
}


def upgrade() -> None:
    # Without a default no row is written: this takes a moment however many inspections there are.
    for name, type_ in _COLUMNS.items():
        op.add_column("inspections", sa.Column(name, type_, nullable=True))
    op.add_column("products", sa.Column("options", _JSON, nullable=True))


def downgrade() -> None:
    op.drop_column("products", "options")
    for name in reversed(_COLUMNS):
        op.drop_column("inspections", name)
