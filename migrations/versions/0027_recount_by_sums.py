"""A recount that looks at pieces of the history by sums, several at a time."""

from __future__ import annotations

from alembic import op

from db.functions import create_function, drop_function, replace_function

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

_NEW = ("linewatch_mix", "linewatch_pieces", "linewatch_recount_shifts")
_CHANGED = {"linewatch_suspects": (1, 2), "linewatch_recount": (1, 2)}


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
    _unproven(3)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name != "postgresql":
        return
    for name, (version, _) in _CHANGED.items():
        for statement in replace_function(name, version):
            connection.exec_driver_sql(statement)
    _unproven(2)
    for name in reversed(_NEW):
        connection.exec_driver_sql(drop_function(name))


def _unproven(version: int) -> None:
    """It is given other things from version to version, so it cannot be replaced."""
    connection = op.get_bind()
    connection.exec_driver_sql(drop_function("linewatch_unproven"))
    for statement in create_function("linewatch_unproven", version):
        connection.exec_driver_sql(statement)
