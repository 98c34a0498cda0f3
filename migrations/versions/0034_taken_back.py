"""What people said of a part or a picture can be taken back: a later row that says so.

And an index of those pictures without a serial number that wait for people.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.functions import create_functions, drop_functions

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_FUNCTIONS = ("linewatch_keep_labelled", "linewatch_settle_facts")
_SAID = (
    "(disposition = 'conforming' AND defect_class IS NULL)"
    " OR (disposition = 'nonconforming' AND defect_class IS NOT NULL)"
)
_ALONE = sa.text("verdict IN ('review', 'rejected', 'dead_letter') AND coalesce(part, '') = ''")
_TAKEN_BACK = " OR (disposition = 'open' AND defect_class IS NULL)"


def upgrade() -> None:
    _check(_SAID + _TAKEN_BACK)
    op.create_index(
        op.f("ix_inspections_alone"),
        "inspections",
        ["product", "decided_at"],
        postgresql_where=_ALONE,
        sqlite_where=_ALONE,
    )
    create_functions(op.get_bind(), _FUNCTIONS)


def downgrade() -> None:
    """Rows that take something back go, so what they took back holds again."""
    op.drop_index(op.f("ix_inspections_alone"), "inspections")
    op.execute("DELETE FROM decisions WHERE disposition = 'open'")
    op.execute("DELETE FROM labels WHERE label = ''")
    _check(_SAID)
    drop_functions(op.get_bind(), _FUNCTIONS)


def _check(words: str) -> None:
    name = op.f("ck_decisions_disposition")
    with op.batch_alter_table("decisions") as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, words)
