"""A head without a device: stored features to probabilities and verdicts, in numpy alone.

Replay, the gate and the reports that compare models all judge here; it loads no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from model_store.heads.head import probabilities
from model_store.novelty.distances import Distances
from model_store.store import StoredModel
from model_store.verdicts.verdict import Judgement, Thresholds, judge
from producer.contract import Reason, Verdict
from quality.arrays import Floats


@dataclass(frozen=True, slots=True, eq=False)
class Rejudged:
    """float64 [n, k] probabilities in the order of the head's classes, and n judgements."""

    probabilities: Floats
    judgements: list[Judgement]


def vectors_of(stored: Sequence[bytes]) -> Floats:
    """Stored vectors (float16, little endian) as float64 [n, d].

    Raises:
        ModelError: they differ in length, or are no float16 vectors.
    """
    if not stored:
        return np.empty((0, 0))
    lengths = {len(data) for data in stored}
    if len(lengths) > 1 or lengths.pop() % 2:
        raise ModelError("the stored features differ in length; those of one fingerprint must not")
    joined = np.frombuffer(b"".join(stored), dtype="<f2")
    return joined.reshape(len(stored), -1).astype(np.float64)


def rejudge(
    model: StoredModel, vectors: Floats, patches: Sequence[float | None] | None = None
) -> Rejudged:
    """Judge stored features as a worker with this model would have judged them.

    Args:
        model: from the store.
        vectors: float64 [n, d] of the model's fingerprint. They were rounded to float16 when they
            were stored, so a picture on the very edge of a threshold may fall to its other side.
        patches: n scores that were stored when this model looked at the pictures' places; None
            where it did not. Such a picture is judged without that rule.

    Raises:
        ModelError: the vectors are not as long as the head expects.
    """
    if not len(vectors):
        return Rejudged(np.empty((0, len(model.head.classes))), [])
    shares = probabilities(model.head, vectors)
    far = distances(model, vectors)
    if patches is not None and model.memory is not None:
        far = replace(far, patches=np.array(patches, np.float64))  # None becomes NaN
    return Rejudged(shares, judgements(model, vectors, shares, far))


def distances(model: StoredModel, vectors: Floats) -> Distances:
    """How far each part lies from what the model has seen."""
    classes, good = (
        None if measure is None else measure.distances(vectors)
        for measure in (model.novelty, model.one_class)
    )
    return Distances(classes, good)


def judgements(
    model: StoredModel,
    vectors: npt.NDArray[np.floating],
    shares: npt.NDArray[np.floating],
    far: Distances,
    thresholds: Thresholds | None = None,
) -> list[Judgement]:
    """The model's verdict rules on what it, or a refit of it, said of pictures.

    Args:
        model: whose rules.
        vectors: float [n, d]; a row that is not finite is never judged.
        shares: float [n, k] probabilities in the order of the head's classes.
        far: how far they lie from what the model has seen, where it measures that.
        thresholds: other rules than the model's.
    """
    manifest = model.manifest
    return [
        judge(
            row,
            classes=model.head.classes,
            good_class=manifest.good_class,
            thresholds=thresholds or manifest.thresholds,
            distance=distance,
            from_good=from_good,
            patches=patches,
        )
        if known
        else Judgement(Verdict.REVIEW, None, None, Reason.NOT_FINITE)
        for known, row, (distance, from_good, patches) in zip(
            np.isfinite(vectors).all(axis=1), shares.tolist(), far.rows(len(shares)), strict=True
        )
    ]
