"""Inspections to commit."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from db.inspections.records import InspectionRecord, StoredFeatures
from producer.contract import Verdict

NOON = datetime(2026, 3, 2, 12, 30, tzinfo=UTC)
CLASSES = ("good", "bent_wire", "missing_wire")


def a_record(**fields: Any) -> InspectionRecord:
    """A part that passed, or as `fields` say."""
    usual: dict[str, Any] = {
        "id": uuid4(),
        "verdict": Verdict.PASS,
        "decided_at": NOON,
        "product": "cable",
        "line": "L1",
        "camera": "C1",
        "part": "P-1",
        "lot": "LOT-1",
        "image_uri": "/images/1.png",
        "image_sha256": "0" * 64,
        "captured_at": NOON - timedelta(seconds=1),
        "enqueued_at": NOON - timedelta(milliseconds=500),
        "defect_class": "good",
        "confidence": 0.75,
        "model_version": "cable-1",
        "worker": "w1",
        "probabilities": {"good": 0.75, "bent_wire": 0.2, "missing_wire": 0.05},
    }
    return InspectionRecord(**{**usual, **fields})


def random_records(seed: int, count: int, days: float = 3) -> list[InspectionRecord]:
    """Parts of every kind, spread over `days`; the same for the same seed."""
    rng = random.Random(seed)
    records = []
    for _ in range(count):
        verdict = rng.choice(list(Verdict))
        model = rng.choice(["cable-1", "cable-2", None]) if verdict.judged else None
        defect = rng.choice(CLASSES[1:]) if verdict is Verdict.DEFECT else None
        records.append(
            a_record(
                id=UUID(int=rng.getrandbits(128), version=4),
                verdict=verdict,
                decided_at=NOON + timedelta(seconds=rng.uniform(0, days * 86400)),
                product=rng.choice(["cable", "plug", None]),
                line=rng.choice(["L1", "L2"]),
                camera=rng.choice(["C1", "C2"]),
                lot=rng.choice(["A", "B", None]),
                defect_class=defect,
                model_version=model,
                probabilities=None if model is None else {"good": 0.5, "bent_wire": 0.5},
                features=StoredFeatures("f1", rng.randbytes(8)) if rng.random() < 0.3 else None,
            )
        )
    return records
