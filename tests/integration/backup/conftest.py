"""A plant with something of everything, on either database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from db import products
from db.inspections.inspections import commit_inspections
from db.labels import labels
from db.labels.labels import NewLabel
from db.models import versions
from db.session import engine_for
from linewatch.products import parse_product
from linewatch.settings import Settings
from model_store.heads.prompts import prototypes, zero_shot_head
from model_store.manifest import ManifestDraft
from model_store.store import ModelStore
from model_store.verdicts.verdict import Thresholds
from producer.spool import Spool
from producer.submission import Station, Submission, to_entry
from tests.support.committed import committed
from tests.support.records import CLASSES, NOON, random_records
from training.prompts import version_info

SECRET = "Zq00kWx" * 6


@pytest.fixture
def plant(make_settings: Callable[..., Settings], database_url: str, tmp_path: Path) -> Settings:
    """Inspections, labels, a model, audit entries, and a spool that keeps a picture's copy."""
    settings = make_settings(
        data_dir=tmp_path / "var",
        database_url=database_url,
        plant_timezone="Asia/Kolkata",
        signing_keys=f"k1:{SECRET}",
    )
    fill(settings)
    keep_a_picture(settings.spool_folder, tmp_path)
    return settings


def fill(settings: Settings) -> None:
    engine = engine_for(settings.sql_url)
    cable = parse_product(
        {
            "product": "cable",
            "classes": [{"code": code, "good": code == "good"} for code in CLASSES],
        },
        "test",
    )
    committed(engine, products.register, cable)
    records = random_records(7, 40)
    commit_inspections(engine, records, settings.timezone)
    ours = [record for record in records if record.product == "cable"]
    said = [NewLabel(record.id, "good", "ann", labelled_at=NOON) for record in ours[:5]]
    committed(engine, labels.add_labels, said)
    store_a_model(settings)


def store_a_model(settings: Settings) -> str:
    engine = engine_for(settings.sql_url)
    words = {code: np.eye(8)[[place]] for place, code in enumerate(CLASSES)}
    draft = ManifestDraft(
        product="cable",
        number=versions.next_number(engine, "cable"),
        good_class="good",
        fingerprint="f" * 64,
        encoders="test",
        thresholds=Thresholds(review_below=0.0),
        training_digest="d" * 64,
        image_counts=dict.fromkeys(CLASSES, 0),
        metrics=None,
        kind="zero-shot",
        created_at=datetime.now(UTC),
    )
    saved = ModelStore(settings.models_url).save(zero_shot_head(prototypes(words, 16)), draft)
    committed(engine, versions.add_version, version_info(saved))
    return saved.version


def keep_a_picture(spools: Path, folder: Path) -> Path:
    """The file of a spool in which a picture waits, with a copy of its own."""
    picture = folder / "part.png"
    Image.new("L", (4, 4)).save(picture)
    spool = Spool(spools / "line-1@cam-1.db")
    station = Station("line-1", "cam-1", "cable")
    spool.add([to_entry(Submission(picture), station, None, spool.pictures_folder, 1024)])
    spool.close()
    return spool.path


@pytest.fixture
def room(request: pytest.FixtureRequest, database_url: str, tmp_path: Path) -> str:
    """An empty database of the same kind."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path / 'new' / 'linewatch.db'}"
    url: str = request.getfixturevalue("empty_postgresql_url")
    return url
