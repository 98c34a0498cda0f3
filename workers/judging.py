"""The device's work: a batch of prepared pictures becomes rows, ready to commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch

from db.records import InspectionRecord, StoredFeatures
from model_store.verdict import Judgement, judge
from producer.contract import Reason, Verdict
from vision.extractor import FeatureExtractor
from workers.residency import Residency, ResidentModel
from workers.work import PreparedPicture

Floats = npt.NDArray[np.float32]


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

    def judge(self, batch: Sequence[PreparedPicture]) -> list[InspectionRecord]:
        """Judge a batch; the rows are in the batch's order."""
        pixels = torch.stack([picture.pixels for picture in batch])
        features = self._extractor.features(pixels)
        rows: dict[int, InspectionRecord] = {}
        by_product = defaultdict(list)
        for index, picture in enumerate(batch):
            by_product[picture.work.envelope.product].append(index)
        for product, indices in by_product.items():
            model = self._residency.model(product)
            chosen = features[indices]
            probabilities = None if model is None else model.head(chosen).cpu().numpy()
            distances = _distances(model, chosen)
            vectors = chosen.cpu().numpy()
            for place, index in enumerate(indices):
                scores = None if probabilities is None else probabilities[place]
                distance = None if distances is None else distances[place]
                rows[index] = self._row(batch[index], vectors[place], model, scores, distance)
        return [rows[index] for index in range(len(batch))]

    def _row(
        self,
        picture: PreparedPicture,
        vector: Floats,
        model: ResidentModel | None,
        scores: Floats | None,
        distance: float | None,
    ) -> InspectionRecord:
        if not np.isfinite(vector).all():
            judgement = Judgement(Verdict.REVIEW, None, None, Reason.NOT_FINITE)
        elif model is None or scores is None:
            judgement = Judgement(Verdict.REVIEW, None, None, Reason.NO_MODEL)
        else:
            manifest = model.stored.manifest
            judgement = judge(
                scores.tolist(),
                classes=model.stored.head.classes,
                good_class=manifest.good_class,
                thresholds=manifest.thresholds,
                distance=distance,
            )
        finite = judgement.reason is not Reason.NOT_FINITE
        return picture.work.record(
            judgement.verdict,
            defect_class=judgement.defect_class,
            confidence=judgement.confidence,
            reason=judgement.reason,
            model_version=model.version if model else None,
            image_sha256=picture.sha256,
            probabilities=self._probabilities(model, scores) if finite else None,
            features=self._features(picture, vector, judgement) if finite else None,
        )

    @staticmethod
    def _probabilities(
        model: ResidentModel | None, scores: Floats | None
    ) -> dict[str, float] | None:
        if model is None or scores is None:
            return None
        return {
            name: round(float(score), 6)
            for name, score in zip(model.stored.head.classes, scores, strict=True)
        }

    def _features(
        self, picture: PreparedPicture, vector: Floats, judgement: Judgement
    ) -> StoredFeatures | None:
        if judgement.verdict is not Verdict.REVIEW and not self._sampled(picture):
            return None
        return StoredFeatures(self._extractor.fingerprint, vector.astype("<f2").tobytes())

    def _sampled(self, picture: PreparedPicture) -> bool:
        # The low bits of a UUID are random, and a second delivery must choose as the first did.
        return (picture.work.id.int & 0xFFFFFFFF) < self._sample_rate * 2**32


def _distances(model: ResidentModel | None, features: torch.Tensor) -> list[float] | None:
    """How far each part lies from what its model has seen; None where it does not measure that."""
    if model is None or model.novelty is None:
        return None
    return model.novelty(features).tolist()  # type: ignore[no-any-return]
