"""Where pictures are unlike good: the map of each, as it is stored."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

import numpy as np

from db.inspections.records import StoredMap
from model_store.verdicts.verdict import Judgement
from producer.contract import Verdict
from vision.place_map import placed
from workers.pipeline.inspection_request import PreparedPicture
from workers.serving.resident_model import Measured, ResidentModel


def maps_of(
    model: ResidentModel, measured: Measured, pictures: Sequence[PreparedPicture]
) -> list[StoredMap | None]:
    """What a model that remembers good parts' patches says of each picture, place by place."""
    border = model.stored.manifest.thresholds.patches_above
    if border is None or measured.places is None:
        return [None] * len(pictures)
    found = zip(pictures, measured.places.of_pictures(), measured.places.scores(), strict=True)
    return [_map(model, border, *one) for one in found]


def shown(kept: bool, said: Judgement) -> bool:
    """Whether a picture's map is stored: where its features are, or it does not simply pass."""
    return kept or said.verdict is not Verdict.PASS


def _map(
    model: ResidentModel,
    border: float,
    picture: PreparedPicture,
    squares: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    score: float,
) -> StoredMap | None:
    space = model.space or picture.space
    grid = round(squares.shape[1] ** 0.5)
    if not isfinite(score) or grid**2 != squares.shape[1]:
        return None
    width, height = picture.size or (space.size, space.size)
    whole = placed(squares.reshape(-1, grid, grid), space.framing, width, height, space.size)
    return StoredMap(
        model_version=model.version,
        score=score,
        border=border,
        height=whole.places.shape[0],
        width=whole.places.shape[1],
        box=whole.box,
        places=whole.places.astype("<f2").tobytes(),
    )
