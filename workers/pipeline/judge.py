"""The device's work: a batch of prepared pictures becomes rows, ready to commit."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from threading import Lock

import numpy as np
import numpy.typing as npt
import torch

from db.inspections.records import InspectionRecord, StoredFeatures, StoredMap
from model_store.verdicts.verdict import Judgement
from producer.contract import Reason, Verdict
from vision.backends.host_copy import HostCopy
from vision.backends.protocol import Backend
from vision.extractor import FeatureExtractor
from workers.pipeline.inspection_request import InspectionRequest, PreparedPicture
from workers.pipeline.judged import by_class, of_files
from workers.pipeline.launched import Group, Launched
from workers.pipeline.maps import maps_of, shown
from workers.pipeline.shadowing import measured, with_shadow
from workers.serving.looked_at import Tokens, computed
from workers.serving.residency import Residency
from workers.serving.resident_model import ResidentModel, looks_at_places

_Alike = tuple[str, FeatureExtractor, ResidentModel | None]  # product, and how it was prepared
_Judges = tuple[ResidentModel | None, ResidentModel | None]  # the champion, and the shadow
Floats = npt.NDArray[np.float32]
Halves = npt.NDArray[np.float16]
_NOT_FINITE = Judgement(Verdict.REVIEW, None, None, Reason.NOT_FINITE)
_NO_MODEL = Judgement(Verdict.REVIEW, None, None, Reason.NO_MODEL)


class Judge:
    """Turns pictures into judged rows. Called from one thread only: that which owns the device.

    Args:
        residency: knows the champion of each product.
        feature_sample_rate: the share of confident verdicts whose features are kept, in [0, 1];
            features of pictures for review are always kept.
    """

    def __init__(self, residency: Residency, *, feature_sample_rate: float) -> None:
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
        pictures = [request.prepared for request in batch]
        alike: dict[_Alike, list[int]] = defaultdict(list)
        for index, (request, picture) in enumerate(zip(batch, pictures, strict=True)):
            alike[request.envelope.product, picture.space, picture.model].append(index)
        backends: dict[Backend, list[_Alike]] = defaultdict(list)
        for key in alike:
            backends[key[1].backend].append(key)
        groups: list[Group] = []
        for keys in backends.values():  # framings of one recipe make squares of the same kind
            order = [index for key in keys for index in alike[key]]
            judges = [self._judges(key) for key in keys]
            remember = any(
                looks_at_places(model, key[1])
                for key, both in zip(keys, judges, strict=True)
                for model in both
            )
            pixels = [pictures[index].pixels for index in order]
            with self._device:
                features, tokens = computed(pixels, keys[0][1], remember)
            first = 0
            # Slices: an index list would be copied there.
            for key, both in zip(keys, judges, strict=True):
                part, end = features[first : first + len(alike[key])], first + len(alike[key])
                places = None if tokens is None else tokens.part(first, end)
                groups.append(self._group(batch, alike[key], key[1], both, part, places))
                first = end
        return Launched(groups)

    def _judges(self, key: _Alike) -> _Judges:
        product, space, model = key
        resident, shadow = self._residency.model(product), self._residency.shadow(product)
        # A champion that was promoted since they were read may judge another space.
        if resident is None or resident.space in (None, space):
            model = resident
        return model, shadow

    def _group(
        self,
        batch: Sequence[InspectionRequest],
        indices: Sequence[int],
        space: FeatureExtractor,
        judges: _Judges,
        features: torch.Tensor,
        tokens: Tokens | None,
    ) -> Group:
        model, shadow = judges
        pictures = [batch[index].prepared for index in indices]
        beside = None
        if shadow is not None:
            beside = measured(shadow, pictures, space, features, tokens, self._device)
        return Group(
            indices=indices,
            requests=[batch[index] for index in indices],
            pictures=pictures,
            space=space,
            features=HostCopy(features),
            model=model,
            measured=None if model is None else model.measure(features, tokens),
            shadow=beside,
        )

    def finish(self, launched: Launched) -> list[InspectionRecord]:
        """The rows of a batch, in its order, once the device has computed them."""
        rows: dict[int, InspectionRecord] = {}
        for group in launched.groups:
            rows.update(zip(group.indices, self._rows(group), strict=True))
        return [rows[index] for index in range(len(rows))]

    def embed(
        self, space: FeatureExtractor, pixels: Sequence[torch.Tensor]
    ) -> list[StoredFeatures]:
        """Features of prepared pictures that need no verdict; waits while a batch is judged.

        Raises:
            RuntimeError: the device failed.
        """
        with self._device:
            vectors = space.features_of(pixels).cpu().numpy()
        return [StoredFeatures.of(space.fingerprint, vector) for vector in vectors]

    def tokens(self, space: FeatureExtractor, pixels: torch.Tensor) -> Floats:
        """The places of one prepared picture, float32 [squares · p, c]; waits as `embed` does.

        Raises:
            RuntimeError: the device failed.
        """
        with self._device:
            _, tokens = space.features_and_tokens_of([pixels])
            found: Floats = tokens.flatten(0, 1).cpu().numpy()
        return found

    def _rows(self, group: Group) -> list[InspectionRecord]:
        vectors = group.features.numpy()
        model = group.model
        if model is None or group.measured is None:
            judgements = [_NO_MODEL] * len(group.pictures)
            shares: list[dict[str, float] | None] = [None] * len(group.pictures)
            maps: list[StoredMap | None] = [None] * len(group.pictures)
        else:
            scores, judgements = model.judge(vectors, group.measured)
            judgements = of_files(group.pictures, judgements)
            shares = [by_class(model, row) for row in scores]
            maps = maps_of(model, group.measured, group.pictures)
        finite = np.isfinite(vectors).all(axis=1)
        rows = [
            self._row(request, picture, said if known else _NOT_FINITE, model, share, vector, map_)
            for request, picture, known, said, share, vector, map_ in zip(
                group.requests,
                group.pictures,
                finite,
                judgements,
                shares,
                vectors.astype("<f2"),
                maps,
                strict=True,
            )
        ]
        return with_shadow(group, rows, vectors)

    def _row(
        self,
        request: InspectionRequest,
        picture: PreparedPicture,
        said: Judgement,
        model: ResidentModel | None,
        shares: dict[str, float] | None,
        vector: Halves,
        map_: StoredMap | None,
    ) -> InspectionRecord:
        finite = said.reason is not Reason.NOT_FINITE
        review = said.verdict is Verdict.REVIEW or request.unknown
        kept = finite and (review or self._sampled(request))
        features = StoredFeatures.of(picture.space.fingerprint, vector) if kept else None
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
            maps=(map_,) if map_ is not None and shown(bool(kept), said) else (),
            optics=picture.optics,
        )

    def _sampled(self, request: InspectionRequest) -> bool:
        # The low bits of a UUID are random, and a second delivery must choose as the first did.
        return (request.id.int & 0xFFFFFFFF) < self._sample_rate * 2**32
