"""One model of two that are compared, and what it says of pictures as if it had not seen them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import numpy as np
import numpy.typing as npt

from linewatch.errors import ModelError
from model_store.gate.figures import Opinion
from model_store.novelty.distances import Distances
from model_store.novelty.one_class import fit_one_class
from model_store.promise.pass_score import NEVER, log_odds
from model_store.serving.rejudge import distances, judgements, rejudge, vectors_of
from model_store.store import StoredModel
from model_store.training_copies.stored import StoredCopies, copies_among
from model_store.validation.folds import UNTESTED, Fit, Folds, Numbers, out_of_fold, part_numbers
from model_store.verdicts.calibration import tempered
from model_store.verdicts.verdict import Judgement
from producer.contract import Reason
from quality.arrays import Floats

_ANY_RATE = 0.5  # of a border that nobody asks for
_NEVER_PASS = frozenset({Reason.NOVEL, Reason.NOT_FINITE})


@dataclass(frozen=True, slots=True, eq=False)
class Contender:
    """Champion or challenger, and what it takes to ask it as if it had not seen a picture.

    Attributes:
        model: with the rules that serve or would serve.
        vectors: stored features (float16, little endian) of the model's fingerprint, by picture.
        labels: each picture's label as it was known when the model was made.
        fit: fits a head as the model's was; None for one that learned from no label.
        copies: the copies of pictures that there are; it learned from those its manifest names.
    """

    model: StoredModel
    vectors: Mapping[UUID, bytes]
    labels: Mapping[UUID, str]
    fit: Fit | None
    copies: StoredCopies = field(default_factory=dict)


def held_out(
    contender: Contender,
    ids: Sequence[UUID],
    folds: Folds,
    groups: Sequence[str],
    good: str | None,
) -> Opinion:
    """What the model says of the tested pictures, refitted without each one's fold."""
    model, vectors, tested = contender.model, vectors_for(contender, ids), folds != UNTESTED
    classes, then = model.head.classes, contender.labels
    told = [label if (label := then.get(id_)) in classes else None for id_ in ids]
    if contender.fit is None or not any(told):  # it saw no label, so nothing has to be held out
        shares = rejudge(model, vectors).probabilities
    else:
        copies = copies_among(ids, contender.copies, model.manifest.copies)
        shares = out_of_fold(contender.fit, vectors, told, folds, classes, groups, copies)
        shares = _calibrated(model, shares)
    far = distances(model, vectors)
    if contender.fit is not None:
        learned = np.array([label is not None and label == good for label in told])
        far = _as_if_unseen(far, vectors, learned, part_numbers(groups, len(ids)))
    return opinion(model, vectors[tested], shares[tested], good, far.of(tested))


def _as_if_unseen(
    far: Distances, vectors: Floats, learned: npt.NDArray[np.bool_], parts: Numbers
) -> Distances:
    """Good parts that the measure of good was fitted on lie as far as if their part had not been.

    They are left out of a measure that is fitted on those that are compared, by the same formula;
    in the one that serves they lie nearer than any part to come.
    """
    if far.good is None or not learned.any():
        return far
    try:
        left_out = fit_one_class(vectors[learned], _ANY_RATE, parts[learned]).left_out
    except ModelError:  # too few to leave any out
        return far
    good = np.array(far.good, np.float64)
    good[learned] = np.maximum(good[learned], left_out)
    return replace(far, good=good)


def _calibrated(model: StoredModel, shares: Floats) -> Floats:
    """As the model's own head does it, for its thresholds are made for calibrated probabilities."""
    decisions = model.manifest.decisions
    return shares if decisions is None else tempered(shares, decisions.calibration.temperature)


def opinion(
    model: StoredModel, vectors: Floats, shares: Floats, good: str | None, far: Distances
) -> Opinion:
    """A model that only proposes is taken at its proposals: what all go to people tells nothing."""
    rules = model.manifest.thresholds.model_copy(update={"proposes": None})
    judged = judgements(model, vectors, shares, far, rules)
    classes = model.head.classes
    return Opinion(
        [_first_choice(model, row) for row in shares],
        [judgement.verdict for judgement in judged],
        None if good is None else _sureness(classes, shares, judged, good),
        [_kind(classes, row, good) for row in shares],
    )


def _sureness(
    classes: Sequence[str], shares: Floats, judged: Sequence[Judgement], good: str
) -> Floats:
    """Log odds of good, float64 [n]; what may not pass at any threshold has the least."""
    if good not in classes:
        return np.full(len(shares), NEVER)
    place = classes.index(good)
    return np.array(
        [
            NEVER if said.reason in _NEVER_PASS else log_odds(row.tolist(), place)
            for row, said in zip(shares, judged, strict=True)
        ]
    )


def _kind(classes: Sequence[str], row: Floats, good: str | None) -> str | None:
    """The most probable class of defect."""
    if not np.isfinite(row).all():
        return None
    places = [place for place, name in enumerate(classes) if name != good]
    return classes[max(places, key=row.__getitem__)] if places else None


def _first_choice(model: StoredModel, shares: Floats) -> str | None:
    """The most probable class; the verdict may be `review` all the same."""
    return model.head.classes[int(shares.argmax())] if np.isfinite(shares).all() else None


def vectors_for(contender: Contender, ids: Sequence[UUID]) -> Floats:
    """Its stored features of these pictures, float64 [n, d]."""
    return vectors_of([contender.vectors[id_] for id_ in ids])
