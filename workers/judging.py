"""The device's work: a batch of prepared pictures becomes rows, ready to commit."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

import numpy as np
import numpy.typing as npt
import torch

from db.records import InspectionRecord, ShadowJudgement, StoredFeatures
from model_store.verdict import Judgement
from producer.contract import Reason, Verdict
from vision.extractor import FeatureExtractor
from workers.residency import Residency, ResidentModel
from workers.work import PreparedPicture

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
_NOT_FINITE = Judgement(Verdict.REVIEW, None, None, Reason.NOT_FINITE)
_NO_MODEL = Judgement(Verdict.REVIEW, None, None, Reason.NO_MODEL)


class Judge:
    """Turns pictures into judged rows. Called from one thread only: that which owns the device.

    Args:
        extractor: makes the features.
        residency: knows the champion of each product.
        feature_sample_rate: the share of confident verdicts whose features are kept, in [0, 1];
            features of pictures for review are always kept.
    """

    def __init__(
        self, extractor: FeatureExtractor, residency: Residency, *, feature_sample_rate: float
    ) -> None:
        self._extractor = extractor
        self._residency = residency
        self._sample_rate = feature_sample_rate
        self._device = Lock()  # the device thread's, but for a moment of idleness: see `embed`

    def judge(self, batch: Sequence[PreparedPicture]) -> list[InspectionRecord]:
        """Judge a batch; the rows are in the batch's order."""
        pixels = torch.stack([picture.pixels for picture in batch])
        with self._device:
            features = self._extractor.features(pixels)
        rows: dict[int, InspectionRecord] = {}
        by_product = defaultdict(list)
        for index, picture in enumerate(batch):
            by_product[picture.work.envelope.product].append(index)
        for product, indices in by_product.items():
            pictures = [batch[index] for index in indices]
            judged = self._of_one_product(product, pictures, features[indices])
            rows.update(zip(indices, judged, strict=True))
        return [rows[index] for index in range(len(batch))]

    def embed(self, pixels: Sequence[torch.Tensor]) -> list[StoredFeatures]:
        """Features of prepared pictures that need no verdict; waits while a batch is judged.

        Raises:
            RuntimeError: the device failed.
        """
        with self._device:
            vectors = self._extractor.features(torch.stack(list(pixels))).cpu().numpy()
        return [StoredFeatures.of(self._extractor.fingerprint, vector) for vector in vectors]

    def _of_one_product(
        self, product: str, pictures: Sequence[PreparedPicture], features: torch.Tensor
    ) -> list[InspectionRecord]:
        vectors = features.cpu().numpy()
        stored = vectors.astype("<f2")
        model = self._residency.model(product)
        if model is None:
            judgements = [_NO_MODEL] * len(pictures)
            shares: list[dict[str, float] | None] = [None] * len(pictures)
        else:
            scores, judgements = model.judge(features, vectors)
            shares = [_by_class(model, row) for row in scores]
        finite = np.isfinite(vectors).all(axis=1)
        rows = [
            self._row(picture, said if known else _NOT_FINITE, model, share, vector)
            for picture, known, said, share, vector in zip(
                pictures, finite, judgements, shares, stored, strict=True
            )
        ]
        return self._with_shadow(product, rows, features, vectors)

    def _with_shadow(
        self, product: str, rows: list[InspectionRecord], features: torch.Tensor, vectors: Floats
    ) -> list[InspectionRecord]:
        """What the shadow says beside each row: one more affine layer on features that are there.

        It has no say, so whatever goes wrong with it must not hold up a verdict.
        """
        shadow = self._residency.shadow(product)
        if shadow is None:
            return rows
        try:
            scores, judgements = shadow.judge(features, vectors)
            return [
                row
                if said.reason is Reason.NOT_FINITE
                else replace(row, shadow=_shadow_judgement(shadow, said, shares))
                for row, said, shares in zip(rows, judgements, scores, strict=True)
            ]
        except Exception:
            log.exception("shadow %s cannot judge", shadow.version)
            return rows

    def _row(
        self,
        picture: PreparedPicture,
        said: Judgement,
        model: ResidentModel | None,
        shares: dict[str, float] | None,
        vector: Halves,
    ) -> InspectionRecord:
        finite = said.reason is not Reason.NOT_FINITE
        kept = finite and (said.verdict is Verdict.REVIEW or self._sampled(picture))
        features = StoredFeatures.of(self._extractor.fingerprint, vector) if kept else None
        return picture.work.record(
            said.verdict,
            defect_class=said.defect_class,
            confidence=said.confidence,
            reason=said.reason,
            model_version=model.version if model else None,
            image_sha256=picture.sha256,
            probabilities=shares if finite else None,
            features=features,
        )

    def _sampled(self, picture: PreparedPicture) -> bool:
        # The low bits of a UUID are random, and a second delivery must choose as the first did.
        return (picture.work.id.int & 0xFFFFFFFF) < self._sample_rate * 2**32


def _by_class(model: ResidentModel, scores: Floats) -> dict[str, float]:
    classes = model.stored.head.classes
    return {name: round(share, 6) for name, share in zip(classes, scores.tolist(), strict=True)}


def _shadow_judgement(model: ResidentModel, said: Judgement, scores: Floats) -> ShadowJudgement:
    return ShadowJudgement(model.version, said.verdict, said.reason, _by_class(model, scores))
