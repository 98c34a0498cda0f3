"""A plant with labelled cables."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta
from pathlib import Path
from random import Random
from uuid import UUID

import numpy as np
import pytest

from db import products
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, StoredFeatures
from db.labels import labels
from db.labels.labels import NewLabel
from db.models import feature_spaces
from db.session import engine_for
from linewatch.products import shipped_product
from linewatch.settings import Settings
from tests.support.committed import committed
from tests.support.label_commands import KINDS
from tests.support.records import NOON, a_record
from vision.decode import digest


@pytest.fixture
def plant(
    make_settings: Callable[..., Settings], database_url: str, tmp_path: Path
) -> tuple[Settings, list[InspectionRecord]]:
    """36 labelled cables with pictures and features that tell their classes apart."""
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    settings = make_settings(database_url=database_url, image_roots=[pictures])
    engine = engine_for(database_url)
    committed(
        engine,
        products.register,
        shipped_product("cable"),
    )
    committed(engine, feature_spaces.register, "f1", encoders="test", dim=8)
    rng, dice, records = np.random.default_rng(0), Random(0), []
    for number in range(36):
        path = pictures / f"{number:02}.PNG"
        path.write_bytes(b"picture %d" % number)
        vector = (rng.normal(size=8) + 5 * np.eye(8)[number % 3]).astype("<f2")
        records.append(
            a_record(
                id=UUID(int=dice.getrandbits(128), version=4),  # the folds follow from the ids
                image_uri=str(path),
                image_sha256=digest(path.read_bytes()),
                part=f"=P{number // 2}",  # two cameras see each part
                features=StoredFeatures("f1", vector.tobytes()),
            )
        )
    commit_inspections(engine, records, UTC)
    said = [
        NewLabel(record.id, KINDS[n % 3], "ann", labelled_at=NOON + timedelta(minutes=n))
        for n, record in enumerate(records)
    ]
    committed(engine, labels.add_labels, said)
    return settings, records
