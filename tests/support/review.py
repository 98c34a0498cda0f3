"""A plant with parts that wait for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import Engine, update

from db.base import table_of
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, StoredFeatures
from db.models.versions import VersionInfo, add_version
from db.products import register
from db.session import transaction
from db.tables import AuditShare
from linewatch.products import parse_product
from producer.contract import Verdict
from tests.support.committed import committed
from tests.support.records import a_record

PRODUCT, FINGERPRINT = "plug", "f1"
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=1)


def a_product(engine: Engine, **options: Any) -> None:
    """A product `plug` with the classes ok, bent and burnt; an `audit_share` counts since ever."""
    classes = [{"code": "ok", "good": True}, {"code": "bent"}, {"code": "burnt"}]
    with transaction(engine) as connection:
        register(
            connection, parse_product({"product": PRODUCT, "classes": classes, **options}, "a test")
        )
        since = NOW - timedelta(days=30)
        connection.execute(update(table_of(AuditShare)).values(since=since))


def a_version(engine: Engine, number: int = 1) -> str:
    """Store one of the product's versions, `plug-N`, without files; returns its name."""
    name = f"{PRODUCT}-{number}"
    version = VersionInfo(
        version=name,
        product=PRODUCT,
        number=number,
        fingerprint=FINGERPRINT,
        encoders="test",
        manifest_sha256="0" * 64,
        created_at=NOW,
    )
    committed(engine, add_version, version)
    return name


def a_view(part: str | None, number: int = 0, **fields: Any) -> InspectionRecord:
    """A picture that the model was not sure of, or as `fields` say."""
    taken = NOW + timedelta(seconds=number)
    usual: dict[str, Any] = {
        "product": PRODUCT,
        "part": part,
        "verdict": Verdict.REVIEW,
        "reason": "uncertain",
        "defect_class": "bent",
        "confidence": 0.55,
        "captured_at": taken,
        "enqueued_at": taken,
        "decided_at": taken + timedelta(seconds=1),
        "model_version": "plug-1",
        "probabilities": None,
    }
    return a_record(**{**usual, **fields})


def commit(engine: Engine, records: Sequence[InspectionRecord]) -> None:
    """A worker commits them."""
    commit_inspections(engine, list(records), UTC)


def features(*numbers: float) -> StoredFeatures:
    """Features as a worker stores them."""
    return StoredFeatures(FINGERPRINT, np.array(numbers, dtype="<f2").tobytes())
