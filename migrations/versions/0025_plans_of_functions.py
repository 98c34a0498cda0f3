"""Functions whose plans do for large tables, though they were made for empty ones."""

from __future__ import annotations

from alembic import op

from db.functions import create_function, drop_function, replace_function

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None

_NEW = ("linewatch_rows_of", "linewatch_suspects")
_CHANGED = {  # from version to version
    "linewatch_adopt": (1, 2),
    "linewatch_settle_facts": (2, 3),
    "linewatch_draw_parts": (1, 2),
    "linewatch_settle": (1, 2),
    "linewatch_backfill": (1, 2),
    "linewatch_unproven": (1, 2),
    "linewatch_resettle": (1, 2),
}


def upgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for name in _NEW:
        for statement in create_function(name, 1):
            connection.exec_driver_sql(statement)
    for name, (_, version) in _CHANGED.items():
        for statement in replace_function(name, version):
            connection.exec_driver_sql(statement)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for name, (version, _) in reversed(_CHANGED.items()):
        for statement in replace_function(name, version):
            connection.exec_driver_sql(statement)
    for name in reversed(_NEW):
        connection.exec_driver_sql(drop_function(name))
