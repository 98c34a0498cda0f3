from __future__ import annotations

import numpy as np
import pytest

from linewatch.errors import ModelError
from model_store.novelty.patch_memory import (
    PatchMemory,
    farthest_places,
    fit_memory,
    remembered,
    scores,
)

PLACES, WIDTH = 25, 12


def pictures(n: int, seed: int = 0, flaw: int | None = None) -> np.ndarray:
    """Each place has a look of its own; a flaw changes one of them: unit rows [n, 25, 12]."""
    rng = np.random.default_rng(seed)
    looks = np.random.default_rng(99).normal(size=(PLACES, WIDTH))
    made = looks + 0.15 * rng.normal(size=(n, PLACES, WIDTH))
    if flaw is not None:
        made[:, flaw] = rng.normal(size=(n, WIDTH))
    return np.asarray(made / np.linalg.norm(made, axis=2, keepdims=True))


def test_a_flaw_is_caught_and_shown_where_it_is() -> None:
    found = fit_memory(pictures(60), 0.05)
    maps = found.memory.maps(pictures(40, seed=1, flaw=17))
    assert (scores(maps) > found.border).mean() > 0.9
    assert (maps.argmax(axis=1) == 17).mean() > 0.9


@pytest.mark.parametrize("size", [400, 10_000])  # a tenth of the tokens, and all of them
def test_the_border_keeps_its_rate_whatever_the_memory_holds(size: int) -> None:
    """Masking a picture out of the memory that it is in would put the border too far out."""
    known, fresh = pictures(60), pictures(200, seed=2)
    flagged, further = [], []
    for seed in range(4):
        found = fit_memory(known, 0.1, size=size, seed=seed)
        said = scores(found.memory.maps(fresh))
        flagged.append((said > found.border).mean())
        further.append(found.left_out.mean() / said.mean())
    assert 0.01 < np.mean(flagged) < 0.17
    assert 0.97 < np.mean(further) < 1.15  # a fold's memory lacks a fifth of the parts


def test_all_pictures_of_a_part_are_left_out_together() -> None:
    rng = np.random.default_rng(5)
    parts = np.repeat(pictures(40), 2, axis=0)
    views = parts + 0.01 * rng.normal(size=parts.shape)
    views /= np.linalg.norm(views, axis=2, keepdims=True)
    by_part = fit_memory(views, 0.05, np.arange(80) // 2, size=10_000)
    apart = fit_memory(views, 0.05, size=10_000)
    assert by_part.cost.parts == 40
    assert by_part.left_out.mean() > apart.left_out.mean() * 1.5  # no twin in another fold


def test_each_picture_gives_as_many_tokens_as_any_other_and_the_draw_is_seeded() -> None:
    numbered = np.zeros((10, PLACES, 10))
    numbered[np.arange(10), :, np.arange(10)] = 1
    kept = remembered(numbered, seed=1, size=25)
    assert sorted(kept.tokens.sum(axis=0).tolist()) == [2.0] * 5 + [3.0] * 5
    assert np.array_equal(kept.tokens, remembered(numbered, seed=1, size=25).tokens)
    assert not np.array_equal(kept.tokens, remembered(numbered, seed=2, size=25).tokens)
    everything = remembered(pictures(3), seed=0)
    assert len(np.unique(everything.tokens, axis=0)) == 3 * PLACES


def test_distances_are_those_of_the_nearest() -> None:
    known, asked = pictures(4), pictures(130, seed=3)  # more than go at once
    memory = remembered(known, seed=0, size=10**6)
    near = (asked @ known.reshape(-1, WIDTH).T).max(axis=2)
    np.testing.assert_allclose(memory.maps(asked), 1 - near, atol=2e-3)
    assert memory.maps(known).max() < 2e-3
    assert memory.maps(asked[:0]).shape == (0, PLACES)


def test_the_score_is_the_mean_of_the_farthest_hundredth() -> None:
    maps = np.zeros((1, 196))
    maps[0, [3, 100, 195]] = 0.5, 0.9, 0.7
    assert scores(maps)[0] == pytest.approx(0.8)
    assert [farthest_places(n) for n in (1, 49, 100, 101, 196, 1024)] == [1, 1, 1, 2, 2, 11]


def test_bad_input() -> None:
    with pytest.raises(ModelError, match="19 good parts are too few to remember"):
        fit_memory(pictures(19), 0.05)
    with pytest.raises(ModelError, match="10 good parts are too few"):
        fit_memory(pictures(30), 0.05, np.arange(30) // 3)
    for wrong in (np.ones((3, 4)), np.ones((3, 4), np.float16), np.ones((0, 4), np.float16)):
        with pytest.raises(ModelError, match="memory"):
            PatchMemory(wrong)
