"""A product to train on: labelled pictures that are points around their class's corner."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

import numpy as np
from sqlalchemy import Engine

from db import products
from db.inspections import inspections
from db.inspections.records import StoredFeatures
from db.labels import labels
from db.models import feature_spaces, versions
from linewatch.products import ProductSpec, parse_product
from linewatch.settings import Settings
from model_store.gate.gate import Decision
from model_store.heads.prompts import prototypes, zero_shot_head
from model_store.manifest import ManifestDraft
from model_store.store import ModelStore
from model_store.verdicts.verdict import Thresholds
from tests.support.committed import committed
from tests.support.records import a_record
from training.promotion import Wish, promote
from training.prompts import version_info
from training.retraining import Retrained, retrain

DIM, CLIP = 12, 8
PRINT, OTHER = "a" * 64, "b" * 64
CODES = ("good", "bent", "cut")
FEW_PARTS = {"gate_least_defects": 5, "gate_escape_margin": 0.42}


def few_parts(folder: Path) -> Settings:
    """Settings for some ten parts: the gate decides on few, and no part goes to review unsure."""
    return Settings(data_dir=folder, review_below=0.0, **FEW_PARTS)


def spec_of(*codes: str) -> ProductSpec:
    classes = [{"code": c, "good": c == "good", "prompts": [f"a {c} part"]} for c in codes]
    return parse_product({"product": "cable", "classes": classes}, source="tests")


class Bench:
    """A product whose labelled pictures are points around their class's corner."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine = engine
        self.store = ModelStore(settings.models_url)
        self.settings = settings
        self.rng = np.random.default_rng(0)
        committed(engine, products.register, spec_of(*CODES))
        for print_ in (PRINT, OTHER):
            committed(engine, feature_spaces.register, print_, encoders="test", dim=DIM)

    def vector(self, code: str, noise: float) -> np.ndarray:
        corner = np.zeros(DIM)
        corner[(*CODES, "new").index(code)] = corner[CLIP + (*CODES, "new").index(code)] = 1
        return corner / np.sqrt(2) + noise * self.rng.normal(size=DIM)

    def pictures(
        self,
        code: str,
        count: int,
        *,
        noise: float = 0.05,
        looks: str | None = None,
        prints: tuple[str, ...] = (PRINT,),
        label: bool = True,
        **fields: object,
    ) -> list[UUID]:
        """Inspect and label pictures of a class, which may look like another."""
        made = []
        for _ in range(count):
            vector = self.vector(looks or code, noise)
            kept = [StoredFeatures.of(p, vector) for p in prints]
            usual = {"decided_at": datetime.now(UTC), "features": kept[0] if kept else None}
            record = a_record(**{**usual, "part": str(uuid4()), **fields})
            inspections.commit_inspections(self.engine, [record], UTC)
            for more in kept[1:]:
                committed(self.engine, feature_spaces.store_features, [(record.id, more)])
            made.append(record.id)
        if label:
            self.label(made, code)
        return made

    def label(self, ids: list[UUID], code: str) -> None:
        rows = [labels.NewLabel(inspection_id=i, label=code, labelled_by="ann") for i in ids]
        committed(self.engine, labels.add_labels, rows)

    def train(self, **changes: object) -> Retrained:
        """Retrain now, with these settings changed."""
        made = retrain(
            self.engine,
            self.store,
            "cable",
            trigger="test",
            settings=self.settings.model_copy(update=changes),
        )
        assert made is not None
        return made

    def champion(self) -> str:
        """Train, and promote at a person's word."""
        version = self.train().manifest.version
        self.promote(version)
        return version

    def promote(
        self, version: str, why: str = "test", *, force: bool = False, reasoned: bool = False
    ) -> Decision:
        wish = Wish.of_person("ann", why, force=force, reasoned=reasoned)
        return promote(self.engine, self.store, version, wish, settings=self.settings).decision

    def zero_shot(self, codes: tuple[str, ...] = CODES) -> str:
        """As `training.prompts.make_zero_shot`, with words that point to the classes' corners."""
        words = {c: np.eye(CLIP)[(*CODES, "new").index(c)][None] for c in codes}
        draft = ManifestDraft(
            product="cable",
            number=versions.next_number(self.engine, "cable"),
            good_class="good",
            fingerprint=PRINT,
            encoders="test",
            thresholds=Thresholds(review_below=0.0, proposes=True),
            training_digest="d" * 64,
            image_counts=dict.fromkeys(codes, 0),
            metrics=None,
            kind="zero-shot",
            created_at=datetime.now(UTC),
        )
        manifest = self.store.save(zero_shot_head(prototypes(words, DIM)), draft)
        committed(self.engine, versions.add_version, version_info(manifest))
        return manifest.version
