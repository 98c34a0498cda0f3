"""The audit sample loses passes that are no parts any more, and none that a purge took."""

from __future__ import annotations

from alembic import op

from db.functions import replace_function

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_CHANGED = {"linewatch_settle_facts": (3, 4), "linewatch_draw_parts": (2, 3)}


def upgrade() -> None:
    _functions(1)


def downgrade() -> None:
    _functions(0)


def _functions(place: int) -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for name, versions in _CHANGED.items():
        for statement in replace_function(name, versions[place]):
            connection.exec_driver_sql(statement)
