"""Since when there are all parts and their counts."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None

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


def downgrade() -> None:
    op.drop_column("part_backfill", "complete_since")
