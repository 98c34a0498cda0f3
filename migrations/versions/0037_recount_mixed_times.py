"""A recount proves parts of which one picture has a time of its own and another has none."""

from __future__ import annotations

from alembic import op

from db.functions import replace_function

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_CHANGED = {"linewatch_unproven": (3, 4)}


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
