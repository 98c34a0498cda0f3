"""What two models say of the same labelled pictures, each as if it had not seen them.

A champion learned from many of the labelled pictures, so asking it about those proves nothing, and
would be unfair to the challenger. Instead both are fitted again, each on the labels that were
known when it was made, without the fold that is asked about. Golden pictures are asked of the very
files that serve or would serve: no training ever sees them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import numpy as np
from sqlalchemy import Engine

from db import feature_spaces, golden, labels
from linewatch.products import ProductSpec
from linewatch.settings import Settings
from model_store.calibration import tempered
from model_store.fit import fit_head
from model_store.folds import UNTESTED, Fit, assign_folds, out_of_fold
from model_store.gate_figures import Figures, Opinion, compare
from model_store.head import Floats
from model_store.rejudge import distances, judgements, rejudge, vectors_of
from model_store.store import ModelStore, StoredModel
from workers.prompts import few_shot_fit


@dataclass(frozen=True, slots=True)
class Evidence:
    """Figures by set of pictures, the golden set's digest, and what a reader should know."""

    sets: Mapping[str, Figures]
    golden_digest: str | None
    notes: tuple[str, ...]


def collect(
    engine: Engine,
    spec: ProductSpec,
    champion: StoredModel,
    challenger: StoredModel,
    store: ModelStore,
    settings: Settings,
) -> Evidence:
    """Compare two models on the labelled pictures and on the golden set.

    Raises:
        TrainingError: a model cannot be fitted again on what it was fitted on.
        ModelError: stored features do not fit a model.
    """
    known = labels.latest(engine, spec.product)
    held = golden.members(engine, spec.product, settings.golden_set)
    notes: list[str] = []
    sets: dict[str, Figures] = {}
    if champion.manifest.fingerprint != challenger.manifest.fingerprint:
        notes.append("their features differ: compared on the pictures that have both kinds")
    if (found := _on_folds(engine, store, spec, champion, challenger, settings, known)) is not None:
        sets["folds"] = found
    if held and (found := _on_golden(engine, spec, champion, challenger, held)) is not None:
        sets["golden"] = found
    if not held:
        notes.append(f"there is no golden set called {settings.golden_set!r}")
    return Evidence(sets, golden.digest(held) if held else None, tuple(notes))


def _on_folds(
    engine: Engine,
    store: ModelStore,
    spec: ProductSpec,
    champion: StoredModel,
    challenger: StoredModel,
    settings: Settings,
    known: Mapping[UUID, str],
) -> Figures | None:
    in_force = set(spec.class_codes)
    ids, features = _shared_features(
        engine, spec, [id_ for id_, label in known.items() if label in in_force],
        champion, challenger, without_golden=True,
    )  # fmt: skip
    names = [known[id_] for id_ in ids]
    folds = assign_folds(names, settings.folds, settings.random_state)
    tested = np.flatnonzero(folds != UNTESTED)
    if not len(tested):
        return None
    opinions = [
        _held_out(engine, store, spec, model, vectors, ids, folds, tested)
        for model, vectors in zip((champion, challenger), features, strict=True)
    ]
    actual = [names[index] for index in tested]
    return compare(actual, *opinions, good_class=spec.good_class)


def _on_golden(
    engine: Engine,
    spec: ProductSpec,
    champion: StoredModel,
    challenger: StoredModel,
    held: Mapping[UUID, str],
) -> Figures | None:
    ids, features = _shared_features(engine, spec, list(held), champion, challenger)
    if not ids:
        return None
    opinions = []
    for model, vectors in zip((champion, challenger), features, strict=True):
        said = rejudge(model, vectors)
        opinions.append(_opinion(model, vectors, said.probabilities))
    return compare([held[id_] for id_ in ids], *opinions, good_class=spec.good_class)


def _held_out(
    engine: Engine,
    store: ModelStore,
    spec: ProductSpec,
    model: StoredModel,
    vectors: Floats,
    ids: Sequence[UUID],
    folds: np.ndarray[tuple[int], np.dtype[np.int64]],
    tested: np.ndarray[tuple[int], np.dtype[np.intp]],
) -> Opinion:
    """What the model says of the tested pictures, refitted without each one's fold."""
    classes = model.head.classes
    then = labels.latest(engine, spec.product, until=model.manifest.created_at)
    told = [label if (label := then.get(id_)) in classes else None for id_ in ids]
    fit = _fit_of(engine, store, model, spec)
    if fit is None or not any(told):  # it never saw a label, so nothing needs to be held out
        shares = rejudge(model, vectors).probabilities
    else:
        shares = _calibrated(model, out_of_fold(fit, vectors, told, folds, classes))
    return _opinion(model, vectors[tested], shares[tested])


def _calibrated(model: StoredModel, shares: Floats) -> Floats:
    """As the model's own head does it, for its thresholds are made for calibrated probabilities."""
    decisions = model.manifest.decisions
    return shares if decisions is None else tempered(shares, decisions.calibration.temperature)


def _fit_of(engine: Engine, store: ModelStore, model: StoredModel, spec: ProductSpec) -> Fit | None:
    if model.manifest.kind == "zero-shot":
        return None
    if model.manifest.kind == "few-shot":
        return few_shot_fit(engine, store, spec, model.manifest.fingerprint)
    return fit_head


def _opinion(model: StoredModel, vectors: Floats, shares: Floats) -> Opinion:
    judged = judgements(model, vectors, shares, distances(model, vectors))
    return Opinion(
        [_first_choice(model, row) for row in shares],
        [judgement.verdict for judgement in judged],
    )


def _first_choice(model: StoredModel, shares: Floats) -> str | None:
    """The most probable class; the verdict may be `review` all the same."""
    return model.head.classes[int(shares.argmax())] if np.isfinite(shares).all() else None


def _shared_features(
    engine: Engine,
    spec: ProductSpec,
    ids: Sequence[UUID],
    champion: StoredModel,
    challenger: StoredModel,
    *,
    without_golden: bool = False,
) -> tuple[list[UUID], tuple[Floats, Floats]]:
    """The pictures of `ids` that have both models' features, by id, and these features."""
    prints = (champion.manifest.fingerprint, challenger.manifest.fingerprint)
    stored = {print_: feature_spaces.vectors(engine, ids, print_) for print_ in set(prints)}
    barred = golden.every_member(engine, spec.product) if without_golden else frozenset()
    shared = sorted(set.intersection(*(set(found) for found in stored.values())) - barred)
    old, new = (vectors_of([stored[print_][id_] for id_ in shared]) for print_ in prints)
    return shared, (old, new)
