"""A record becomes rows: pure, and the rows are such that no database refuses them."""

from __future__ import annotations

from datetime import UTC, datetime
from math import isfinite
from typing import Any

from db.inspections.records import InspectionRecord
from db.storable_text import SERIAL, storable

# Longer than any valid message says, and short enough for an index's longest key (2,704 bytes on
# PostgreSQL, up to 4 bytes a character).
_NAME, _VERSION, _URI, _DETAIL = 64, 128, 4096, 2000  # characters
_LARGEST_INTEGER = 2**31 - 1


def inspection_row(record: InspectionRecord) -> dict[str, Any]:
    """The row of `inspections`."""
    return {
        "id": record.id,
        "product": storable(record.product, _NAME),
        "line": storable(record.line, _NAME),
        "camera": storable(record.camera, _NAME),
        "part": storable(record.part, SERIAL),
        "lot": storable(record.lot, SERIAL),
        "image_uri": storable(record.image_uri, _URI),
        "image_sha256": storable(record.image_sha256, _NAME),
        "captured_at": _instant(record.captured_at),
        "enqueued_at": _instant(record.enqueued_at),
        "decided_at": record.decided_at,
        "verdict": str(record.verdict),
        "defect_class": storable(record.defect_class, _NAME),
        "confidence": _number(record.confidence),
        "model_version": storable(record.model_version, _VERSION),
        "attempt": min(record.attempt, _LARGEST_INTEGER),
        "reason": None if record.reason is None else str(record.reason),
        "detail": storable(record.detail, _DETAIL),
        "worker": storable(record.worker, SERIAL),
        "seen": None if record.seen is None else dict(record.seen),
        "pass_number": record.pass_number,
        "views": None if record.views is None else [storable(v, _NAME) for v in record.views],
        "work_order": storable(record.work_order, SERIAL),
        "purpose": storable(record.purpose, _NAME),
        "site": storable(record.site, _NAME),
        "trace_id": storable(record.trace_id, _NAME),
    }


def shadow_row(record: InspectionRecord) -> dict[str, Any] | None:
    """The row of `inspection_scores`: the shadow's, or None where there was none."""
    shadow = record.shadow
    if shadow is None or shadow.model_version == record.model_version:
        return None
    return {
        "inspection_id": record.id,
        "model_version": storable(shadow.model_version, _VERSION),
        "probabilities": {
            storable(code): _number(share) for code, share in shadow.probabilities.items()
        },
        "verdict": str(shadow.verdict),
        "reason": None if shadow.reason is None else str(shadow.reason),
    }


def feature_row(record: InspectionRecord) -> dict[str, Any] | None:
    """The row of `features`, or None where they are not kept."""
    if record.features is None:
        return None
    return {
        "inspection_id": record.id,
        "fingerprint": record.features.fingerprint,
        "vector": record.features.vector,
        "created_at": record.decided_at,
    }


def _number(value: float | None) -> float | None:
    return value if value is not None and isfinite(value) else None


def _instant(value: datetime | None) -> datetime | None:
    try:
        return None if value is None else value.astimezone(UTC)
    except OverflowError:  # year 1 or 9999 with an offset that leads out of the calendar
        return None
