"""What the servers serve: our extractor and whole model, and the same rows in the same database."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.bare_child import cable
from db.inspections.inspections import commit_inspections
from db.inspections.records import InspectionRecord, StoredFeatures
from db.session import engine_for
from linewatch.settings import get_settings
from model_store.store import ModelStore
from model_store.verdicts.verdict import Judgement
from producer.uuid7 import uuid7
from vision.decode import digest
from vision.extractor import FeatureExtractor, Prepared
from workers.serving.looked_at import computed
from workers.serving.resident_model import ResidentModel, looks_at_places

PRODUCT, VERSION = "cable", os.environ.get("SERVED_VERSION", "")
MAX_BATCH, BATCH_WAIT_S = 32, 0.01  # those of a worker


class Served:
    """Loads once; `prepare` may run in many threads, `judge` in one."""

    def __init__(self) -> None:
        settings = get_settings()
        self._extractor = FeatureExtractor.from_settings(settings)
        self._model = ModelStore(settings.models_url).load(PRODUCT, VERSION)
        self._resident = ResidentModel.of(self._model, self._extractor.device)
        self._places = looks_at_places(self._resident, self._extractor)
        self._size = cable(PRODUCT).image_size
        self._engine = engine_for(settings.sql_url)
        self._timezone = settings.timezone
        self._pool = ThreadPoolExecutor(settings.decode_threads)

    def prepare(self, path: str) -> tuple[str, str, Prepared]:
        """Read, hash and decode a file."""
        data = Path(path).read_bytes()
        return path, digest(data), self._extractor.prepare(data, self._size)

    def prepare_all(self, paths: Sequence[str]) -> list[tuple[str, str, Prepared]]:
        """`prepare`, in parallel."""
        return list(self._pool.map(self.prepare, paths))

    def judge(self, pictures: Sequence[tuple[str, str, Prepared]]) -> list[dict[str, Any]]:
        """Judge a batch and commit its rows in one transaction."""
        pixels = [prepared.pixels for _, _, prepared in pictures]
        features, tokens = computed(pixels, self._extractor, self._places)
        vectors = features.cpu().numpy()
        shares, said = self._resident.judge(vectors, self._resident.measure(features, tokens))
        records = [
            self._record(path, sha256, shares[index], said[index], vectors[index])
            for index, (path, sha256, _) in enumerate(pictures)
        ]
        commit_inspections(self._engine, records, self._timezone)
        return [{"verdict": r.verdict.value, "confidence": r.confidence} for r in records]

    def _record(
        self, path: str, sha256: str, shares: Any, said: Judgement, vector: Any
    ) -> InspectionRecord:
        manifest, classes = self._model.manifest, self._model.head.classes
        verdict, defect_class, confidence, reason = said
        return InspectionRecord(
            id=uuid7(),
            verdict=verdict,
            decided_at=datetime.now(UTC),
            product=PRODUCT,
            line="line-1",
            camera="cam-1",
            image_uri=path,
            image_sha256=sha256,
            defect_class=defect_class,
            confidence=confidence,
            reason=reason,
            model_version=manifest.version,
            probabilities={k: round(float(v), 6) for k, v in zip(classes, shares, strict=True)},
            features=StoredFeatures.of(self._extractor.fingerprint, vector),
        )
