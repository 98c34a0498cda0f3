"""What two models say of the same labelled pictures, each as if it had not seen them. Pure.

A champion learned from many of the labelled pictures, so asking it about those proves nothing, and
would be unfair to the challenger. Instead both are fitted again, each on the labels that were
known when it was made, without the fold that is asked about. Golden pictures are asked of the very
models that serve or would serve: no training ever sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np

from model_store.calibration import tempered
from model_store.folds import UNTESTED, Fit, Folds, assign_folds, out_of_fold
from model_store.gate_figures import Figures, Opinion, compare
from model_store.near_duplicates import with_duplicates
from model_store.rejudge import distances, judgements, rejudge, vectors_of
from model_store.store import StoredModel
from model_store.stored_copies import StoredCopies, copies_among
from quality.arrays import Floats


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


@dataclass(frozen=True, slots=True)
class GoldenSet:
    """The golden set that models are compared on, and what else is golden.

    Attributes:
        name: what the set is called.
        members: its pictures, and the class that each shows; empty where there is no such set.
        digest: of the members; None where there are none.
        others: the names of the product's other golden sets.
        barred: the pictures of all parts that are in a golden set: no model learns from them.
    """

    name: str
    members: Mapping[UUID, str]
    digest: str | None
    others: Sequence[str]
    barred: frozenset[UUID]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was found.

    Attributes:
        sets: figures by set of pictures, such as "folds" and "golden".
        golden_digest: of the golden set.
        lost_classes: classes of the product that the champion knows and the challenger does not.
        notes: what a reader should know.
    """

    sets: Mapping[str, Figures]
    golden_digest: str | None
    lost_classes: tuple[str, ...]
    notes: tuple[str, ...]


def collect(
    champion: Contender,
    challenger: Contender,
    labels: Mapping[UUID, str],
    golden: GoldenSet,
    *,
    parts: Mapping[UUID, str],
    classes: Iterable[str],
    good_class: str | None,
    folds: int,
    random_state: int,
) -> Evidence:
    """Compare two models on the labelled pictures and on the golden set.

    Args:
        champion, challenger: who is compared.
        labels: each labelled picture's class, as it is known now.
        golden: the golden set.
        parts: the name of each picture's part, labelled and golden; no fold parts a part.
        classes: the product's classes; labels of others are left out.
        good_class: the class that passes.
        folds, random_state: how the labelled pictures are parted.

    Raises:
        TrainingError: a model cannot be fitted again on what it was fitted on.
        ModelError: stored features do not fit a model.
    """
    notes: list[str] = []
    sets: dict[str, Figures] = {}
    both = (champion, challenger)
    if champion.model.manifest.fingerprint != challenger.model.manifest.fingerprint:
        notes.append("their features differ: compared on the pictures that have both kinds")
    in_force = frozenset(classes)
    known = {
        id_: label
        for id_, label in labels.items()
        if label in in_force and id_ not in golden.barred
    }
    if (found := _on_folds(both, known, parts, good_class, folds, random_state)) is not None:
        sets["folds"] = found
    if (found := _on_golden(both, golden.members, good_class)) is not None:
        sets["golden"] = found
    notes += _golden_notes(golden, found)
    old, new = (set(contender.model.head.classes) for contender in both)
    return Evidence(sets, golden.digest, tuple(sorted((old & in_force) - new)), tuple(notes))


def _golden_notes(golden: GoldenSet, found: Figures | None) -> list[str]:
    """What of the golden sets was not compared on, though no model may learn from it."""
    notes = []
    asked, held = 0 if found is None else found.pictures, len(golden.members)
    if not held:
        notes.append(f"there is no golden set called {golden.name!r}")
    elif asked < held:
        notes.append(
            f"golden: {held - asked} of the {held} pictures of {golden.name!r} have not the "
            "features of both"
        )
    if golden.others:
        notes.append(f"golden sets that were not compared on: {', '.join(golden.others)}")
    return notes


def _on_folds(
    both: Sequence[Contender],
    known: Mapping[UUID, str],
    parts: Mapping[UUID, str],
    good_class: str | None,
    folds: int,
    random_state: int,
) -> Figures | None:
    ids = _shared(both, known)
    names = [known[id_] for id_ in ids]
    if not ids:
        return None
    groups = with_duplicates(ids, [parts.get(id_, str(id_)) for id_ in ids], _vectors(both[1], ids))
    assigned = assign_folds(names, folds, random_state, groups)
    if not (assigned != UNTESTED).any():
        return None
    opinions = [_held_out(contender, ids, assigned, groups) for contender in both]
    actual = [names[index] for index in np.flatnonzero(assigned != UNTESTED)]
    return compare(actual, *opinions, good_class=good_class)


def _on_golden(
    both: Sequence[Contender], members: Mapping[UUID, str], good_class: str | None
) -> Figures | None:
    ids = _shared(both, members)
    if not ids:
        return None
    opinions = []
    for contender in both:
        vectors = _vectors(contender, ids)
        shares = rejudge(contender.model, vectors).probabilities
        opinions.append(_opinion(contender.model, vectors, shares))
    return compare([members[id_] for id_ in ids], *opinions, good_class=good_class)


def _held_out(
    contender: Contender, ids: Sequence[UUID], folds: Folds, groups: Sequence[str]
) -> Opinion:
    """What the model says of the tested pictures, refitted without each one's fold."""
    model, vectors, tested = contender.model, _vectors(contender, ids), folds != UNTESTED
    classes, then = model.head.classes, contender.labels
    told = [label if (label := then.get(id_)) in classes else None for id_ in ids]
    if contender.fit is None or not any(told):  # it saw no label, so nothing has to be held out
        shares = rejudge(model, vectors).probabilities
    else:
        copies = copies_among(ids, contender.copies, model.manifest.copies)
        shares = out_of_fold(contender.fit, vectors, told, folds, classes, groups, copies)
        shares = _calibrated(model, shares)
    return _opinion(model, vectors[tested], shares[tested])


def _calibrated(model: StoredModel, shares: Floats) -> Floats:
    """As the model's own head does it, for its thresholds are made for calibrated probabilities."""
    decisions = model.manifest.decisions
    return shares if decisions is None else tempered(shares, decisions.calibration.temperature)


def _opinion(model: StoredModel, vectors: Floats, shares: Floats) -> Opinion:
    """A model that only proposes is taken at its proposals: what all go to people tells nothing."""
    rules = model.manifest.thresholds.model_copy(update={"proposes": None})
    judged = judgements(model, vectors, shares, distances(model, vectors), rules)
    return Opinion(
        [_first_choice(model, row) for row in shares],
        [judgement.verdict for judgement in judged],
    )


def _first_choice(model: StoredModel, shares: Floats) -> str | None:
    """The most probable class; the verdict may be `review` all the same."""
    return model.head.classes[int(shares.argmax())] if np.isfinite(shares).all() else None


def _shared(both: Sequence[Contender], ids: Iterable[UUID]) -> list[UUID]:
    """Those of `ids` that have both models' features, sorted: the same pictures, the same folds."""
    return sorted(id_ for id_ in ids if all(id_ in contender.vectors for contender in both))


def _vectors(contender: Contender, ids: Sequence[UUID]) -> Floats:
    return vectors_of([contender.vectors[id_] for id_ in ids])
