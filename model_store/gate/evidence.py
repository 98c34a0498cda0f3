"""What two models say of the same labelled pictures, each as if it had not seen them. Pure.

A champion learned from many of the labelled pictures, so asking it about those proves nothing, and
would be unfair to the challenger. Instead both are fitted again, each on the labels that were
known when it was made, without the fold that is asked about. Golden pictures are asked of the very
models that serve or would serve: no training ever sees them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np

from model_store.fitting.near_duplicates import with_duplicates
from model_store.gate.contender import Contender, held_out, opinion, vectors_for
from model_store.gate.equal_overkill import TARGET
from model_store.gate.figures import Figures, Opinion, compare
from model_store.serving.rejudge import distances, rejudge
from model_store.store import StoredModel
from model_store.validation.folds import UNTESTED, assign_folds


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
class _Rules:
    """How pictures are compared: the good class, the names of parts, the escape target."""

    good: str | None
    parts: Mapping[UUID, str]
    target: float

    def parts_of(self, ids: Sequence[UUID]) -> list[str]:
        return [self.parts.get(id_, str(id_)) for id_ in ids]


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
    target: float = TARGET,
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
        target: share of the defects that may pass, which decides where the two are compared.

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
    rules = _Rules(good_class, parts, target)
    if (found := _on_folds(both, known, rules, folds, random_state, notes)) is not None:
        sets["folds"] = found
    if (found := _on_golden(both, golden.members, rules)) is not None:
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
    rules: _Rules,
    folds: int,
    random_state: int,
    notes: list[str],
) -> Figures | None:
    ids = _shared(both, known)
    if not ids:
        return None
    names = [known[id_] for id_ in ids]
    groups = with_duplicates(ids, rules.parts_of(ids), names, vectors_for(both[1], ids))
    assigned = assign_folds(names, folds, random_state, groups)
    asked = np.flatnonzero(assigned != UNTESTED).tolist()
    if not asked:
        return None
    actual, parts = [names[index] for index in asked], [groups[index] for index in asked]
    opinions = [held_out(contender, ids, assigned, groups, rules.good) for contender in both]
    notes += _suspects(actual, *opinions)
    return compare(actual, *opinions, good_class=rules.good, parts=parts, target=rules.target)


def _suspects(actual: Sequence[str], one: Opinion, other: Opinion) -> list[str]:
    """How many labels neither model believes, though they agree on what else it is."""
    pairs = zip(actual, one.choices, other.choices, strict=True)
    count = sum(said == also is not None and said != label for label, said, also in pairs)
    if not count:
        return []
    return [
        f"{count} of {len(actual)} labels are contradicted by both models alike; wrong ones blur "
        "the comparison: look at them with `linewatch labels suspects`"
    ]


def _on_golden(
    both: Sequence[Contender], members: Mapping[UUID, str], rules: _Rules
) -> Figures | None:
    ids = _shared(both, members)
    if not ids:
        return None
    opinions = []
    for contender in both:
        vectors = vectors_for(contender, ids)
        shares = rejudge(contender.model, vectors).probabilities
        far = distances(contender.model, vectors)  # no model learned from them
        opinions.append(opinion(contender.model, vectors, shares, rules.good, far))
    actual = [members[id_] for id_ in ids]
    return compare(
        actual,
        *opinions,
        good_class=rules.good,
        parts=rules.parts_of(ids),
        target=rules.target,
        promised=_promised(both[1].model, rules.target),
    )


def _promised(model: StoredModel, target: float) -> float:
    """The share of the defects that may pass by the model's thresholds, where it says so."""
    report = model.manifest.decisions
    promise = None if report is None else report.promise
    return target if promise is None else max(target, promise.upper_bound)


def _shared(both: Sequence[Contender], ids: Iterable[UUID]) -> list[UUID]:
    """Those of `ids` that have both models' features, sorted: the same pictures, the same folds."""
    return sorted(id_ for id_ in ids if all(id_ in contender.vectors for contender in both))
