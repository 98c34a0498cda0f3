"""How long each product's pictures, features, inspections and roll-ups are kept. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from linewatch.products import Retention
from linewatch.settings import Settings

KEEP_ALL = Retention(
    pictures="forever", features="forever", inspections="forever", rollups="forever"
)
UNREGISTERED = ""  # stands for every picture whose product is not registered, or not known


class Kind(StrEnum):
    """What has an age limit of its own, in the order in which a purge goes through them."""

    PICTURES = "pictures"
    FEATURES = "features"
    INSPECTIONS = "inspections"
    ROLLUPS = "rollups"


@dataclass(frozen=True, slots=True)
class Limit:
    """Of `product`, what is older than `before` may go."""

    kind: Kind
    product: str
    before: datetime


def limits(settings: Settings, products: Mapping[str, Retention], now: datetime) -> Iterable[Limit]:
    """The limits that hold now; what is kept for ever has none.

    Args:
        settings: the plant's defaults.
        products: each registered product's own wishes.
        now: aware.
    """
    for kind in Kind:
        default: float | None = getattr(settings, f"retention_{kind}_days")
        for product, own in [*products.items(), (UNREGISTERED, Retention())]:
            days = getattr(own, kind) or default
            if days is not None and days != "forever":
                yield Limit(kind, product, now - timedelta(days=days))
