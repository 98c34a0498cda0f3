"""A model that remembers good parts' patches: stored, and asked again about stored pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest

from db.inspections.passed_part import PassedPart, PassedPicture
from linewatch.errors import ModelError
from model_store.heads.fit import fit_head
from model_store.manifest import ManifestDraft
from model_store.novelty.one_class import UnlikeGood
from model_store.novelty.patch_memory import PatchMemory, Remembered
from model_store.serving.rejudge import rejudge
from model_store.store import ModelStore, StoredModel
from model_store.verdicts.verdict import Thresholds
from producer.contract import Reason, Verdict
from training.comparison.containment import Containment, Result, Seen

BORDER = 0.4
GOOD, BENT = np.array([1.0, 0.0]), np.array([0.0, 1.0])
MEMORY = PatchMemory(np.eye(3, dtype=np.float16), "look/1")
COST = UnlikeGood(parts=20, rate=0.01, rate_low=0, rate_high=0.1)
REMEMBERED = Remembered(look="look/1", tokens=3, pictures=20, cost=COST)


def saved(
    folder: Path, memory: PatchMemory | None = MEMORY, remembered: Remembered | None = REMEMBERED
) -> tuple[ModelStore, str]:
    rows = np.repeat([GOOD, BENT], 6, axis=0) + np.random.default_rng(1).normal(0, 0.01, (12, 2))
    draft = ManifestDraft(
        product="p",
        number=1,
        good_class="good",
        fingerprint="f" * 64,
        encoders="test",
        thresholds=Thresholds(review_below=0.0, patches_above=BORDER),
        training_digest="0" * 64,
        image_counts={"good": 6, "bent": 6},
        metrics=None,
        created_at=datetime.now(UTC),
        patches=remembered,
    )
    store = ModelStore(str(folder / "models"))
    manifest = store.save(fit_head(rows, ["good"] * 6 + ["bent"] * 6), draft, memory=memory)
    return store, manifest.version


@pytest.fixture
def model(tmp_path: Path) -> StoredModel:
    store, version = saved(tmp_path)
    return store.load("p", version)


def test_a_memory_is_stored_as_it_is(model: StoredModel) -> None:
    assert model.memory is not None
    assert np.array_equal(model.memory.tokens, MEMORY.tokens)
    assert model.memory.tokens.dtype == np.float16
    assert model.memory.look == "look/1"
    assert model.manifest.patches == REMEMBERED


@pytest.mark.parametrize(
    ("memory", "remembered"), [(None, REMEMBERED), (MEMORY, None), (None, None)]
)
def test_a_memory_and_what_is_said_of_it_come_together(
    tmp_path: Path, memory: PatchMemory | None, remembered: Remembered | None
) -> None:
    store, version = saved(tmp_path, memory, remembered)
    with pytest.raises(ModelError, match="cannot measure how unlike good a part's patches are"):
        store.load("p", version)


def test_beyond_the_border_nothing_passes_and_what_nobody_looked_at_does(
    model: StoredModel,
) -> None:
    vectors = np.stack([GOOD, GOOD, GOOD, BENT])
    found = rejudge(model, vectors, [BORDER, BORDER + 0.01, None, 0.9]).judgements
    assert [one.verdict for one in found] == [
        *(Verdict.PASS, Verdict.REVIEW, Verdict.PASS),
        Verdict.DEFECT,
    ]
    assert found[1].reason is Reason.NOVEL
    assert {one.verdict for one in rejudge(model, vectors[:3]).judgements} == {Verdict.PASS}


def picture(number: int, vector: np.ndarray | None) -> PassedPicture:
    data = None if vector is None else vector.astype("<f2").tobytes()
    return PassedPicture(UUID(int=number), "C1", "/x.png", None, data)


def part(one: PassedPicture) -> PassedPart:
    now = datetime.now(UTC)
    return PassedPart(f"P{one.id.int}", "", 1, "L1", "", now, "conforming", "model", [one])


class Files:
    """Pictures that can be read again."""

    def __init__(self, scores: Mapping[int, float]) -> None:
        self.scores = scores
        self.asked: list[int] = []

    def seen(self, pictures: Sequence[PassedPicture]) -> dict[UUID, Seen]:
        self.asked = [one.id.int for one in pictures]
        vector = GOOD.astype("<f2").tobytes()
        return {one.id: Seen(vector, self.scores[one.id.int]) for one in pictures}


def test_nobody_has_shown_that_a_part_would_pass_whose_places_were_not_looked_at(
    model: StoredModel,
) -> None:
    vectors = {1: GOOD, 2: GOOD, 3: GOOD, 4: BENT, 5: None}
    pages = [[part(picture(number, vector)) for number, vector in vectors.items()]]
    scores = {UUID(int=1): 0.1, UUID(int=2): 0.9}
    found = Containment(model, None, lambda ids: {i: s for i, s in scores.items() if i in ids})
    results = {one.part.serial: (one.result, one.why) for one in found.contained(pages)}
    assert results == {
        "P2": (Result.REVIEW, ""),
        "P3": (Result.UNKNOWN, "its places were not looked at"),
        "P4": (Result.DEFECT, ""),
        "P5": (Result.UNKNOWN, "no features are stored"),
    }
    files = Files({3: 0.9, 4: 0.1, 5: 0.2})
    again = Containment(model, files, found.scores)
    assert {one.part.serial: one.result for one in again.contained(pages)} == {
        "P2": Result.REVIEW,
        "P3": Result.REVIEW,
    }
    assert files.asked == [3, 4, 5]
