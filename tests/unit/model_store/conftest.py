from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from model_store.heads.fit import fit_head
from model_store.heads.head import Head
from model_store.manifest import ManifestDraft
from model_store.validation.crossval import cross_validate
from model_store.verdicts.verdict import Thresholds

Data = tuple[np.ndarray, list[str]]


def blobs(counts: dict[str, int], *, dim: int = 12, spread: float = 1.0, seed: int = 0) -> Data:
    """Features of overlapping classes, in mixed order."""
    rng = np.random.default_rng(seed)
    labels = [name for name, count in counts.items() for _ in range(count)]
    centres = {name: rng.normal(size=dim) for name in counts}
    features = np.stack([centres[name] + spread * rng.normal(size=dim) for name in labels])
    order = rng.permutation(len(labels))
    return features[order], [labels[i] for i in order]


@pytest.fixture(scope="session")
def training_data() -> Data:
    return blobs({"good": 12, "bent_wire": 9, "cut": 6})


@pytest.fixture(scope="session")
def head(training_data: Data) -> Head:
    return fit_head(*training_data)


@pytest.fixture(scope="session")
def make_draft(training_data: Data) -> Callable[..., ManifestDraft]:
    metrics = cross_validate(*training_data).summary()

    def make(**fields: Any) -> ManifestDraft:
        known = {
            "product": "cable",
            "number": 1,
            "good_class": "good",
            "fingerprint": "f" * 64,
            "encoders": "compact encoders",
            "thresholds": Thresholds(review_below=0.6),
            "training_digest": "d" * 64,
            "image_counts": {"good": 12, "bent_wire": 9, "cut": 6},
            "metrics": metrics,
            "created_at": datetime(2026, 11, 23, 23, 15, tzinfo=UTC),
        }
        return ManifestDraft(**{**known, **fields})

    return make
