"""What a model's judgement becomes in a row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from model_store.verdicts.verdict import Judgement, of_damaged
from workers.pipeline.inspection_request import PreparedPicture
from workers.serving.resident_model import ResidentModel

Floats = npt.NDArray[np.float32]


def of_files(
    pictures: Sequence[PreparedPicture], judgements: Sequence[Judgement]
) -> list[Judgement]:
    """The judgements, but for damaged pictures, at which a person looks."""
    return [
        said if picture.flaw is None else of_damaged(said)
        for picture, said in zip(pictures, judgements, strict=True)
    ]


def by_class(model: ResidentModel, scores: Floats) -> dict[str, float]:
    """A picture's probabilities by class, as they are stored."""
    classes = model.stored.head.classes
    return {name: round(share, 6) for name, share in zip(classes, scores.tolist(), strict=True)}
