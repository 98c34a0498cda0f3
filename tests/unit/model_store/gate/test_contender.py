from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import numpy as np

from model_store.gate.contender import Contender, held_out
from model_store.heads.fit import fit_head
from model_store.manifest import ManifestDraft
from model_store.novelty.one_class import fit_one_class
from model_store.store import ModelStore
from model_store.validation.folds import assign_folds
from model_store.verdicts.verdict import Thresholds
from producer.contract import Verdict

DIM, GOOD, BENT = 40, 30, 12


def test_good_parts_that_the_measure_was_fitted_on_are_asked_as_if_they_had_not_been(
    tmp_path: Path, make_draft: Callable[..., ManifestDraft]
) -> None:
    rng = np.random.default_rng(3)
    features = rng.normal(size=(GOOD + BENT, DIM))
    features[GOOD:] += 4
    features = features.astype("<f2").astype(np.float64)
    labels = ["good"] * GOOD + ["bent"] * BENT
    measure = fit_one_class(features[:GOOD], 0.2)
    draft = make_draft(
        thresholds=Thresholds(review_below=0.0, unlike_good_above=measure.border),
        image_counts={"good": GOOD, "bent": BENT},
        metrics=None,
    )
    store = ModelStore(str(tmp_path / "models"))
    head = fit_head(features, labels)
    manifest = store.save(head, draft, one_class=measure.measure)
    model = store.load("cable", manifest.version)
    ids = [UUID(int=n) for n in range(GOOD + BENT)]
    vectors = {i: row.astype("<f2").tobytes() for i, row in zip(ids, features, strict=True)}
    groups = [str(n) for n in range(GOOD + BENT)]
    folds = assign_folds(labels, 3, 42, groups)
    known = dict(zip(ids, labels, strict=True))

    def stopped(told: dict[UUID, str]) -> int:
        asked = Contender(model, vectors, told, fit_head)
        said = held_out(asked, ids, folds, groups, "good").verdicts[:GOOD]
        return sum(verdict is Verdict.REVIEW for verdict in said)

    assert (measure.measure.distances(features[:GOOD]) > measure.border).sum() == 0
    beyond = int((measure.left_out > measure.border).sum())
    assert beyond >= 3
    assert stopped(known) == beyond
    assert stopped({}) == 0  # of a model that learned from none of them, the plain distance
