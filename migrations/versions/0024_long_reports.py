"""What long reports read: labelled pictures, and pictures by the hour without their classes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from db.functions import create_functions, drop_functions

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_FUNCTIONS = ("linewatch_hour_changed", "linewatch_roll_hours")
# Labels are few beside pictures: a person gave each.
_LABELLED = """
INSERT INTO labelled_pictures (inspection_id, product, label, recorded_at, line, lot, model_version,
  verdict, defect_class, made_at)
SELECT i.id, l.product, l.label, l.recorded_at, coalesce(i.line, ''), coalesce(i.lot, ''),
  coalesce(i.model_version, ''), i.verdict, coalesce(i.defect_class, ''),
  coalesce(i.made_at, i.captured_at, i.decided_at)
FROM (
  SELECT inspection_id, product, label, recorded_at,
    row_number() OVER (PARTITION BY inspection_id ORDER BY labelled_at DESC, id DESC) AS place
  FROM labels
) AS l
JOIN inspections AS i ON i.id = l.inspection_id
WHERE l.place = 1
"""


def upgrade() -> None:
    op.create_table(
        "labelled_pictures",
        sa.Column("inspection_id", sa.Uuid(), nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("product", "label")),
        sa.Column("recorded_at", _INSTANT, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("line", "lot")),
        *(sa.Column(name, sa.String(), nullable=False) for name in ("model_version", "verdict")),
        sa.Column("defect_class", sa.String(), nullable=False),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["inspection_id"],
            ["inspections.id"],
            name=op.f("fk_labelled_pictures_inspection_id_inspections"),
        ),
        sa.PrimaryKeyConstraint("inspection_id", name=op.f("pk_labelled_pictures")),
    )
    op.execute(_LABELLED)
    op.create_index(op.f("ix_labelled_pictures_made_at"), "labelled_pictures", ["made_at"])
    _picture_hours()
    create_functions(op.get_bind(), _FUNCTIONS)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("SELECT linewatch_roll_hours(false)")


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
    op.execute("DELETE FROM retention_marks WHERE kind = 'picture_hours'")
    op.drop_table("picture_hours")
    op.drop_table("labelled_pictures")


def _picture_hours() -> None:
    key = ("product", "line", "camera", "lot", "model_version")
    counts = ("passed", "defects", "review", "rejected", "dead_letter")
    op.create_table(
        "picture_hours",
        sa.Column("hour", _INSTANT, nullable=False),
        *(sa.Column(name, sa.String(), nullable=False) for name in key),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        sa.PrimaryKeyConstraint("hour", *key, name=op.f("pk_picture_hours")),
    )
