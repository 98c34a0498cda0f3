"""Up to when inspections or roll-ups may have been purged, and so need not agree."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Engine

from db import audit, products
from db.retention.marks import BEGINNING
from db.retention.policy import UNREGISTERED, Kind, limits
from linewatch.settings import Settings

_KINDS = (Kind.INSPECTIONS, Kind.ROLLUPS)


def purged_before(engine: Engine, settings: Settings, now: datetime) -> dict[str, datetime]:
    """By registered product, and '' for all others, the instant before which rows may be gone.

    From the audit log, and from the limits that hold: a purge that runs writes its entry at its
    end.
    """
    known = products.catalogue(engine).products
    ends = dict.fromkeys([*known, UNREGISTERED], BEGINNING)
    own = {code: spec.retention for code, spec in known.items()}
    for limit in limits(settings, own, now):
        if limit.kind in _KINDS:
            ends[limit.product] = max(ends[limit.product], limit.before)
    for subject, detail in audit.subjects_of(engine, "retention.purge"):
        if detail["kind"] in _KINDS:
            before = datetime.fromisoformat(detail["before"])
            # A month is of all products.
            concerned = [subject] if subject in known else list(ends)
            ends |= {product: max(ends[product], before) for product in concerned}
    return ends
