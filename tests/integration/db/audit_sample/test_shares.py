"""The share that is drawn follows what serves: more of it under a provisional model."""

from __future__ import annotations

from sqlalchemy import Engine, select

from db import products
from db.base import table_of
from db.models import deployments, versions
from db.models.versions import VersionInfo
from db.session import reading
from db.tables import AuditShare
from linewatch.products import parse_product
from tests.support.committed import committed
from tests.support.records import NOON

CLASSES = [{"code": "good", "good": True}, {"code": "cut"}]


def register(engine: Engine, **more: object) -> None:
    spec = parse_product({"product": "cable", "classes": CLASSES, **more}, "a test")
    committed(engine, products.register, spec)


def add(engine: Engine, number: int, *, provisional: bool) -> str:
    info = VersionInfo(
        version=f"cable-{number}",
        product="cable",
        number=number,
        fingerprint="f",
        encoders="e",
        manifest_sha256="s",
        created_at=NOON,
        promise="provisional, ≤ 14 % at 95 %" if provisional else "≤ 1 % at 95 %",
        provisional=provisional,
    )
    committed(engine, versions.add_version, info)
    assert versions.require(engine, info.version) == info
    return info.version


def shares(engine: Engine) -> list[float]:
    """All that were wanted, oldest first."""
    table = table_of(AuditShare)
    with reading(engine) as connection:
        return list(connection.scalars(select(table.c.share).order_by(table.c.since)))


def test_a_provisional_model_is_audited_more(engine: Engine) -> None:
    register(engine, audit_share=0.1)
    shaky, sure = add(engine, 1, provisional=True), add(engine, 2, provisional=False)
    said = {"by": "ann", "why": ""}
    committed(engine, deployments.set_shadow, "cable", shaky, **said)
    assert shares(engine) == [0.1]
    committed(engine, deployments.promote, "cable", shaky, **said)
    register(engine, audit_share=0.1)  # who registers the product again knows of no model
    assert shares(engine) == [0.1, 0.2]
    committed(engine, deployments.promote, "cable", sure, **said)
    committed(engine, deployments.rollback, "cable", **said)
    committed(engine, deployments.retire, "cable", **said)
    assert shares(engine) == [0.1, 0.2, 0.1, 0.2, 0.1]


def test_so_is_one_of_a_product_that_said_nothing(engine: Engine) -> None:
    register(engine)
    committed(
        engine, deployments.promote, "cable", add(engine, 1, provisional=True), by="a", why=""
    )
    assert shares(engine) == [0.05]
    register(engine, audit_share=0)
    assert shares(engine) == [0.05, 0]
