"""What a shadow says beside a champion: it has no say, so it must not hold up a verdict."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from threading import Lock

import numpy as np
import numpy.typing as npt
import torch

from db.inspections.records import InspectionRecord, ShadowJudgement
from model_store.verdicts.verdict import Judgement
from producer.contract import Reason
from vision.backends.host_copy import HostCopy
from vision.extractor import FeatureExtractor
from workers.pipeline.inspection_request import PreparedPicture
from workers.pipeline.judged import by_class, of_files
from workers.pipeline.launched import Group, Shadowed
from workers.pipeline.maps import maps_of, shown
from workers.serving.looked_at import Tokens, computed
from workers.serving.resident_model import ResidentModel

log = logging.getLogger(__name__)

Floats = npt.NDArray[np.float32]


def measured(
    shadow: ResidentModel,
    pictures: Sequence[PreparedPicture],
    space: FeatureExtractor,
    features: torch.Tensor,
    tokens: Tokens | None,
    device: Lock,
) -> Shadowed | None:
    """Have a shadow measure too: one more affine layer, or the features of another space.

    It has no say, so whatever goes wrong with it must not hold up a verdict.
    """
    try:
        if shadow.space in (None, space):
            return Shadowed(shadow, shadow.measure(features, tokens))
        if shadow.space is None or any(p.shadow_space is not shadow.space for p in pictures):
            return None  # it came since they were read
        pixels = [p.shadow_pixels for p in pictures if p.shadow_pixels is not None]
        with device:
            own, places = computed(pixels, shadow.space, shadow.patches is not None)
        return Shadowed(shadow, shadow.measure(own, places), HostCopy(own))
    except Exception:
        log.exception("shadow %s cannot judge", shadow.version)
        return None


def with_shadow(
    group: Group, rows: list[InspectionRecord], vectors: Floats
) -> list[InspectionRecord]:
    """The rows with what the shadow says beside each, where it says anything."""
    if group.shadow is None:
        return rows
    shadow, own = group.shadow.model, group.shadow.features
    try:
        vectors = vectors if own is None else own.numpy()
        scores, judgements = shadow.judge(vectors, group.shadow.measured)
        judgements = of_files(group.pictures, judgements)
        maps = maps_of(shadow, group.shadow.measured, group.pictures)
        return [
            row
            if said.reason is Reason.NOT_FINITE
            else replace(
                row,
                shadow=_judgement(shadow, said, shares),
                maps=(*row.maps, map_) if map_ and shown(bool(row.features), said) else row.maps,
            )
            for row, said, shares, map_ in zip(rows, judgements, scores, maps, strict=True)
        ]
    except Exception:
        log.exception("shadow %s cannot judge", shadow.version)
        return rows


def _judgement(model: ResidentModel, said: Judgement, scores: Floats) -> ShadowJudgement:
    return ShadowJudgement(model.version, said.verdict, said.reason, by_class(model, scores))
