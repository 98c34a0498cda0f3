"""What a product's audit sample is drawn by: its secret, and the share that is wanted of it."""

from __future__ import annotations

import secrets
from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, bindparam, select, text

from db.base import table_of
from db.clock import database_now
from db.models.standing import CHAMPION
from db.tables import AuditSeed, AuditShare, Deployment, ModelVersion, Product
from db.upsert import insert_into
from quality.audit.share import share_in_force

_SEEDS, _SHARES = table_of(AuditSeed), table_of(AuditShare)
_WANTED = (
    select(_SHARES.c.product, _SHARES.c.since, _SHARES.c.share)
    .where(_SHARES.c.product.in_(bindparam("products", expanding=True)))
    .order_by(_SHARES.c.since)
)
_OPTIONS = select(Product.options).where(Product.code == bindparam("product"))
_SERVING = (
    select(Deployment.version)
    .where(Deployment.product == bindparam("product"), Deployment.role == CHAMPION)
    .order_by(Deployment.id.desc())
    .limit(1)
    .scalar_subquery()
)
_PROVISIONAL = select(ModelVersion.provisional).where(ModelVersion.version == _SERVING)
_SEED_BYTES = 32
_IN_THE_SERVER = text("SELECT linewatch_seed(:product)")


class Wanted(NamedTuple):
    """A product's secret and the shares that were wanted, each from when on, oldest first."""

    seed: bytes
    shares: tuple[tuple[datetime, float], ...]

    def share_at(self, slice_at: datetime) -> float:
        """The share of the parts made in a slice."""
        return next((share for at, share in reversed(self.shares) if at <= slice_at), 0.0)


def register(connection: Connection, product: str) -> None:
    """Make a product's secret, once, and note the share that is wanted from now on.

    The secret stays for ever: with another one, parts that were drawn would not have been.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(_IN_THE_SERVER, {"product": product})
    else:
        seed = {"product": product, "seed": secrets.token_bytes(_SEED_BYTES)}
        row = {**seed, "made_at": database_now(connection)}
        connection.execute(insert_into(connection, _SEEDS).on_conflict_do_nothing(), row)
    follow(connection, product)


def follow(connection: Connection, product: str) -> None:
    """Note the share that is wanted from now on: the product's, raised for a provisional model."""
    said = connection.scalar(_OPTIONS, {"product": product}) or {}
    provisional = bool(connection.scalar(_PROVISIONAL, {"product": product}))
    share = share_in_force(said.get("audit_share"), provisional=provisional)
    c = _SHARES.c
    newest = select(c.share).where(c.product == product).order_by(c.since.desc()).limit(1)
    if (connection.scalar(newest) or 0.0) != share:
        row = {"product": product, "since": database_now(connection), "share": share}
        connection.execute(_SHARES.insert(), row)


def wanted(connection: Connection, products: Collection[str]) -> dict[str, Wanted]:
    """Of which of these products parts are drawn, and how; on SQLite."""
    shares: dict[str, list[tuple[datetime, float]]] = {}
    for product, since, share in connection.execute(_WANTED, {"products": list(products)}):
        shares.setdefault(product, []).append((since, share))
    if not shares:
        return {}
    seeds = select(_SEEDS.c.product, _SEEDS.c.seed).where(_SEEDS.c.product.in_(list(shares)))
    return {
        product: Wanted(seed, tuple(shares[product])) for product, seed in connection.execute(seeds)
    }
