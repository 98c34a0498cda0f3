"""Parts, their counts by quarter hour and shift, and the shifts as intervals."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from db.functions import create_functions, drop_functions

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_KINDS = (
    "line",
    "product",
    "lot",
    "work_order",
    "model_version",
    "disposition",
    "classes",
    "decided_by",
    "why",
    "model_disposition",
)
_TABLES = (
    "shift_calendars",
    "shift_spans",
    "part_shift_counts",
    "part_counts",
    "purged_views",
    "parts",
)
_FLAGS = ("again", "serialised", "by_receipt")
# What settles parts comes with 0025 and 0034, which have the tables that it reads.
_FUNCTIONS = (
    "linewatch_rank",
    "linewatch_slice_of",
    "linewatch_slice",
    "linewatch_made_at",
    "linewatch_counted",
    "linewatch_add_counts",
    "linewatch_picture_counts",
    "linewatch_plain_parts",
    "linewatch_move_shifts",
)


def upgrade() -> None:
    op.add_column("inspections", sa.Column("made_at", _INSTANT, nullable=True))
    op.add_column("inspections", sa.Column("by_receipt", sa.Boolean(), nullable=True))
    _parts()
    _purged_views()
    _counts("part_counts", "slice_at", sa.Column("shift_at", _INSTANT, nullable=False))
    _counts("part_shift_counts", "shift_at")
    op.create_index(op.f("ix_part_counts_line_slice_at"), "part_counts", ["line", "slice_at"])
    op.create_table(
        "shift_spans",
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("starts_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False),
        sa.Column("shift", sa.String(), nullable=False),
        sa.Column("plant_day", sa.Date(), nullable=False),
        sa.PrimaryKeyConstraint("line", "starts_at", name=op.f("pk_shift_spans")),
    )
    op.create_table(
        "shift_calendars",
        sa.Column("line", sa.String(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("spec", _JSON, nullable=False),
        sa.Column("set_by", sa.String(), nullable=False),
        sa.Column("set_at", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("line", "valid_from", name=op.f("pk_shift_calendars")),
    )
    create_functions(op.get_bind(), _FUNCTIONS)


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
    for table in _TABLES:
        op.drop_table(table)
    # Not in a batch: SQLite would copy the table, and labels refer to it.
    op.drop_column("inspections", "by_receipt")
    op.drop_column("inspections", "made_at")


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=nullable) for name in names]


def _instants(*names: str) -> list[sa.Column[datetime]]:
    return [sa.Column(name, _INSTANT, nullable=True) for name in names]


def _parts() -> None:
    open_ = sa.text("disposition = 'open' AND counted")
    op.create_table(
        "parts",
        *_texts("product", "serial", "scope"),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Boolean(), nullable=False),
        sa.Column("views", sa.Integer(), nullable=False),
        *_texts("line", "lot", "work_order", "model_version", "disposition", "classes"),
        *_texts("decided_by", "why", "model_disposition", "model_classes"),
        *_instants("made_at", "last_at"),
        sa.Column("by_receipt", sa.Boolean(), nullable=False),
        *_instants("slice_at", "shift_at", "shift_ends_at"),
        sa.Column("shift", sa.String(), nullable=True),
        sa.Column("plant_day", sa.Date(), nullable=True),
        sa.CheckConstraint(
            "disposition IN ('conforming', 'nonconforming', 'open')",
            name=op.f("ck_parts_disposition"),
        ),
        sa.PrimaryKeyConstraint("product", "serial", "scope", "pass_number", name=op.f("pk_parts")),
        postgresql_with={"fillfactor": 80},
    )
    op.create_index(
        "ix_parts_open",
        "parts",
        ["line", "product", "why", "made_at"],
        postgresql_where=open_,
        sqlite_where=open_,
    )
    people = sa.text("decided_by <> 'model'")
    op.create_index(
        "ix_parts_people", "parts", ["product", "lot"], postgresql_where=people, sqlite_where=people
    )
    op.create_index(op.f("ix_parts_made_at"), "parts", ["made_at"], postgresql_using="brin")


def _purged_views() -> None:
    op.create_table(
        "purged_views",
        sa.Column("id", sa.Uuid(), nullable=False),
        *_texts("product", "part"),
        *_texts("line", "camera", "lot", "work_order", "model_version", nullable=True),
        *_texts("verdict"),
        *_texts("defect_class", nullable=True),
        sa.Column("pass_number", sa.Integer(), nullable=True),
        sa.Column("views", _JSON, nullable=True),
        *_texts("purpose", nullable=True),
        sa.Column("made_at", _INSTANT, nullable=False),
        sa.Column("by_receipt", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_purged_views")),
    )
    op.create_index(op.f("ix_purged_views_product_part"), "purged_views", ["product", "part"])


def _counts(name: str, when: str, *more: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column(when, _INSTANT, nullable=False),
        *more,
        *(sa.Column(kind, sa.String(), nullable=False) for kind in _KINDS),
        *(sa.Column(flag, sa.Boolean(), nullable=False) for flag in _FLAGS),
        sa.Column("shift_ends_at", _INSTANT, nullable=False),
        sa.Column("shift", sa.String(), nullable=False),
        sa.Column("plant_day", sa.Date(), nullable=False),
        sa.Column("parts", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(when, *_KINDS, *_FLAGS, name=op.f(f"pk_{name}")),
        postgresql_with={"fillfactor": 70},
    )
    op.create_index(op.f(f"ix_{name}_product_lot"), name, ["product", "lot"])
