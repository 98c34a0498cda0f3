"""The audit sample and challenges; parts that are neither drawn nor counted without them."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from db.functions import create_functions, drop_functions

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(JSONB(), "postgresql")
_OPEN = sa.text("ended_at IS NULL")
_FUNCTIONS = (
    "linewatch_hmac_pad",
    "linewatch_seed",
    "linewatch_challenged",
    "linewatch_draw",
    "linewatch_may_say",
)


def upgrade() -> None:
    _audit_sample()
    _audit_answers()
    _challenges()
    create_functions(op.get_bind(), _FUNCTIONS)
    _seeds()


def downgrade() -> None:
    drop_functions(op.get_bind(), _FUNCTIONS)
    for table in (
        *("challenge_parts", "challenges"),
        *("audit_answers", "audit_sample", "audit_shares", "audit_seeds"),
    ):
        op.drop_table(table)


def _texts(*names: str, nullable: bool = False) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.String(), nullable=nullable) for name in names]


def _instants(*names: str, nullable: bool = False) -> list[sa.Column[datetime]]:
    return [sa.Column(name, _INSTANT, nullable=nullable) for name in names]


def _audit_sample() -> None:
    op.create_table(
        "audit_seeds",
        *_texts("product"),
        sa.Column("seed", sa.LargeBinary(), nullable=False),
        *_instants("made_at"),
        sa.PrimaryKeyConstraint("product", name=op.f("pk_audit_seeds")),
    )
    op.create_table(
        "audit_shares",
        *_texts("product"),
        *_instants("since"),
        sa.Column("share", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("product", "since", name=op.f("pk_audit_shares")),
    )
    op.create_table(
        "audit_sample",
        *_texts("product", "serial", "scope"),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        *_instants("drawn_at"),
        *_texts("model_disposition", "model_classes", "line", "lot"),
        *_instants("made_at", "slice_at"),
        sa.CheckConstraint(
            "model_disposition IN ('conforming', 'nonconforming')",
            name=op.f("ck_audit_sample_model_disposition"),
        ),
        sa.PrimaryKeyConstraint(
            "product", "serial", "scope", "pass_number", name=op.f("pk_audit_sample")
        ),
    )
    op.create_index(op.f("ix_audit_sample_id"), "audit_sample", ["id"], unique=True)
    op.create_index(
        op.f("ix_audit_sample_product_slice_at"), "audit_sample", ["product", "slice_at"]
    )


def _audit_answers() -> None:
    op.create_table(
        "audit_answers",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        *_texts("product", "serial", "scope"),
        sa.Column("pass_number", sa.Integer(), nullable=False),
        *_texts("disposition"),
        *_texts("defect_class", nullable=True),
        *_texts("answered_by"),
        *_instants("answered_at", "recorded_at"),
        *_texts("note"),
        sa.CheckConstraint(
            "(disposition = 'conforming' AND defect_class IS NULL)"
            " OR (disposition = 'nonconforming' AND defect_class IS NOT NULL)",
            name=op.f("ck_audit_answers_disposition"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_answers")),
    )
    op.create_index(
        op.f("ix_audit_answers_product_serial_scope_pass_number"),
        "audit_answers",
        ["product", "serial", "scope", "pass_number"],
    )


def _challenges() -> None:
    op.create_table(
        "challenges",
        sa.Column("id", _SERIAL, autoincrement=True, nullable=False),
        *_texts("line"),
        *_instants("started_at"),
        *_texts("started_by"),
        *_instants("expires_at"),
        *_instants("ended_at", nullable=True),
        *_texts("ended_by", nullable=True),
        sa.Column("verified", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_challenges")),
    )
    op.create_index(
        "uq_challenges_open",
        "challenges",
        ["line"],
        unique=True,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    )
    op.create_index(op.f("ix_challenges_line_started_at"), "challenges", ["line", "started_at"])
    op.create_table(
        "challenge_parts",
        sa.Column("challenge_id", sa.BigInteger(), nullable=False),
        *_texts("product", "serial", "known_class"),
        sa.Column("known_good", sa.Boolean(), nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=True),
        *_texts("disposition", "classes", nullable=True),
        sa.Column("found", sa.Boolean(), nullable=True),
        sa.ForeignKeyConstraint(
            ["challenge_id"],
            ["challenges.id"],
            name=op.f("fk_challenge_parts_challenge_id_challenges"),
        ),
        sa.PrimaryKeyConstraint(
            "challenge_id", "product", "serial", name=op.f("pk_challenge_parts")
        ),
    )
    op.create_index(
        op.f("ix_challenge_parts_product_serial"), "challenge_parts", ["product", "serial"]
    )


def _seeds() -> None:
    """Products that are registered have one, as those to come will."""
    connection = op.get_bind()
    products = sa.table("products", sa.column("code"), sa.column("options", _JSON))
    seeds = sa.table(
        "audit_seeds",
        sa.column("product"),
        sa.column("seed", sa.LargeBinary()),
        sa.column("made_at", _INSTANT),
    )
    shares = sa.table(
        "audit_shares", sa.column("product"), sa.column("since", _INSTANT), sa.column("share")
    )
    now = datetime.now(UTC)
    for code, options in connection.execute(sa.select(products.c.code, products.c.options)).all():
        connection.execute(
            seeds.insert().values(product=code, seed=secrets.token_bytes(32), made_at=now)
        )
        if share := (options or {}).get("audit_share"):
            connection.execute(shares.insert().values(product=code, since=now, share=share))
