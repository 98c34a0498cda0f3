"""What proves and mends parts and their counts, and since when there are all of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.functions import create_function, drop_function

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

_FUNCTIONS = ("linewatch_unproven", "linewatch_resettle", "linewatch_recount")


# Everything that was ever inspected is counted by hour. Purges take the oldest, but for those that
# are labelled or golden; so what is older than the oldest of the others may be gone.
_COMPLETE_SINCE = """
UPDATE part_backfill SET complete_since = coalesce((
  SELECT min(i.decided_at) FROM inspections AS i
  WHERE NOT EXISTS (SELECT 1 FROM labels AS l WHERE l.inspection_id = i.id)
    AND NOT EXISTS (SELECT 1 FROM golden_items AS g WHERE g.inspection_id = i.id)
), CURRENT_TIMESTAMP)
WHERE name = 'parts'
  AND (SELECT coalesce(sum(h.count), 0) FROM inspection_hourly AS h)
    > (SELECT count(*) FROM inspections)
"""


def upgrade() -> None:
    op.add_column("part_backfill", sa.Column("complete_since", sa.DateTime(timezone=True)))
    op.execute(_COMPLETE_SINCE)
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for name in _FUNCTIONS:
            for statement in create_function(name, 1):
                connection.exec_driver_sql(statement)


def downgrade() -> None:
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        for name in reversed(_FUNCTIONS):
            connection.exec_driver_sql(drop_function(name))
    op.drop_column("part_backfill", "complete_since")
