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

from db.inspections.records import InspectionRecord, ShadowJudgement, StoredFeatures
from model_store.verdict import Judgement, of_damaged
from producer.contract import Reason, Verdict
from vision.backends.host_copy import HostCopy
from vision.extractor import FeatureExtractor
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.pipeline.launched import Group, Launched, Shadowed
from workers.serving.residency import Residency
from workers.serving.resident_model import ResidentModel

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

    def judge(self, batch: Sequence[InspectionRequest]) -> list[InspectionRecord]:
        """Judge a batch; the rows are in the batch's order."""
        return self.finish(self.launch(batch))

    def launch(self, batch: Sequence[InspectionRequest]) -> Launched:
        """Give the device a batch, and order its results to the host; waits for none of it.

        Where the backend is not asynchronous, the device is this processor and all is computed.
        """
        by_product = defaultdict(list)
        for index, request in enumerate(batch):
            by_product[request.envelope.product].append(index)
        order = [index for indices in by_product.values() for index in indices]
        pictures = [request.prepared for request in batch]
        pixels = torch.stack([pictures[index].pixels for index in order])
        with self._device:
            features = self._extractor.features(pixels)
        groups: list[Group] = []
        first = 0
        for product, indices in by_product.items():  # slices: an index list would be copied there
            part = features[first : first + len(indices)]
            model, shadow = self._residency.model(product), self._residency.shadow(product)
            groups.append(
                Group(
                    indices=indices,
                    requests=[batch[index] for index in indices],
                    pictures=[pictures[index] for index in indices],
                    features=HostCopy(part),
                    model=model,
                    measured=None if model is None else model.measure(part),
                    shadow=None if shadow is None else _shadowed(shadow, part),
                )
            )
            first += len(indices)
        return Launched(groups)

    def finish(self, launched: Launched) -> list[InspectionRecord]:
        """The rows of a batch, in its order, once the device has computed them."""
        rows: dict[int, InspectionRecord] = {}
        for group in launched.groups:
            rows.update(zip(group.indices, self._rows(group), strict=True))
        return [rows[index] for index in range(len(rows))]

    def embed(self, pixels: Sequence[torch.Tensor]) -> list[StoredFeatures]:
        """Features of prepared pictures that need no verdict; waits while a batch is judged.

        Raises:
            RuntimeError: the device failed.
        """
        with self._device:
            vectors = self._extractor.features(torch.stack(list(pixels))).cpu().numpy()
        return [StoredFeatures.of(self._extractor.fingerprint, vector) for vector in vectors]

    def _rows(self, group: Group) -> list[InspectionRecord]:
        vectors = group.features.numpy()
        model = group.model
        if model is None or group.measured is None:
            judgements = [_NO_MODEL] * len(group.pictures)
            shares: list[dict[str, float] | None] = [None] * len(group.pictures)
        else:
            scores, judgements = model.judge(vectors, group.measured)
            judgements = _of_files(group.pictures, judgements)
            shares = [_by_class(model, row) for row in scores]
        finite = np.isfinite(vectors).all(axis=1)
        rows = [
            self._row(request, picture, said if known else _NOT_FINITE, model, share, vector)
            for request, picture, known, said, share, vector in zip(
                group.requests,
                group.pictures,
                finite,
                judgements,
                shares,
                vectors.astype("<f2"),
                strict=True,
            )
        ]
        return _with_shadow(group, rows, vectors)

    def _row(
        self,
        request: InspectionRequest,
        picture: PreparedPicture,
        said: Judgement,
        model: ResidentModel | None,
        shares: dict[str, float] | None,
        vector: Halves,
    ) -> InspectionRecord:
        finite = said.reason is not Reason.NOT_FINITE
        review = said.verdict is Verdict.REVIEW or request.unknown
        kept = finite and (review or self._sampled(request))
        features = StoredFeatures.of(self._extractor.fingerprint, vector) if kept else None
        return request.record(
            said.verdict,
            defect_class=said.defect_class,
            confidence=said.confidence,
            reason=said.reason,
            detail=picture.flaw,
            model_version=model.version if model else None,
            image_sha256=picture.sha256,
            probabilities=shares if finite else None,
            features=features,
        )

    def _sampled(self, request: InspectionRequest) -> bool:
        # The low bits of a UUID are random, and a second delivery must choose as the first did.
        return (request.id.int & 0xFFFFFFFF) < self._sample_rate * 2**32


def _shadowed(shadow: ResidentModel, features: torch.Tensor) -> Shadowed | None:
    """Have a shadow measure too: one more affine layer on features that are there.

    It has no say, so whatever goes wrong with it must not hold up a verdict.
    """
    try:
        return Shadowed(shadow, shadow.measure(features))
    except Exception:
        log.exception("shadow %s cannot judge", shadow.version)
        return None


def _with_shadow(
    group: Group, rows: list[InspectionRecord], vectors: Floats
) -> list[InspectionRecord]:
    """The rows with what the shadow says beside each, where it says anything."""
    if group.shadow is None:
        return rows
    shadow = group.shadow.model
    try:
        scores, judgements = shadow.judge(vectors, group.shadow.measured)
        judgements = _of_files(group.pictures, judgements)
        return [
            row
            if said.reason is Reason.NOT_FINITE
            else replace(row, shadow=_shadow_judgement(shadow, said, shares))
            for row, said, shares in zip(rows, judgements, scores, strict=True)
        ]
    except Exception:
        log.exception("shadow %s cannot judge", shadow.version)
        return rows


def _of_files(
    pictures: Sequence[PreparedPicture], judgements: Sequence[Judgement]
) -> list[Judgement]:
    """The judgements, but for damaged pictures, at which a person looks."""
    return [
        said if picture.flaw is None else of_damaged(said)
        for picture, said in zip(pictures, judgements, strict=True)
    ]


def _by_class(model: ResidentModel, scores: Floats) -> dict[str, float]:
    classes = model.stored.head.classes
    return {name: round(share, 6) for name, share in zip(classes, scores.tolist(), strict=True)}


def _shadow_judgement(model: ResidentModel, said: Judgement, scores: Floats) -> ShadowJudgement:
    return ShadowJudgement(model.version, said.verdict, said.reason, _by_class(model, scores))
