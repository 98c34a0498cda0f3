"""Heads from prompts, and from prompts and labels, on a made-up CLIP."""

from __future__ import annotations

import numpy as np
import pytest

from linewatch.errors import ModelError, TrainingError
from model_store.heads.head import probabilities
from model_store.heads.prompts import (
    ensemble,
    few_shot_head,
    prototypes,
    prototypes_of,
    zero_shot_head,
)

C, D = 16, 24  # of CLIP's embedding, and of the fused vector
NAMES = ("bent", "cut", "good")


def unit(rows: np.ndarray) -> np.ndarray:
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


@pytest.fixture
def words() -> dict[str, np.ndarray]:
    """Text embeddings of two prompts a class, not normalised."""
    rng = np.random.default_rng(0)
    return {name: 7 * rng.normal(size=(2, C)) for name in NAMES}


def pictures(
    words: dict[str, np.ndarray], labels: list[str], *, noise: float, shift: float = 0.0
) -> np.ndarray:
    """Fused features whose CLIP part points to its class's prompts, more or less."""
    rng = np.random.default_rng(1)
    away = shift * rng.normal(size=(len(NAMES), C))
    clip = np.stack([unit(words[n]).mean(axis=0) + away[NAMES.index(n)] for n in labels])
    clip = unit(unit(clip) + noise * rng.normal(size=clip.shape))
    marks = np.stack([np.eye(D - C)[NAMES.index(n)] for n in labels])
    dino = unit(marks + noise * rng.normal(size=marks.shape))
    return unit(np.concatenate([clip, dino], axis=1))


def test_zero_shot_is_clips_softmax(words: dict[str, np.ndarray]) -> None:
    """What CLIP itself would compute: softmax(100 cos(image, mean of the prompts))."""
    features = pictures(words, list(NAMES) * 3, noise=0.3)
    head = zero_shot_head(prototypes(words, D))
    clip = unit(features[:, :C])
    texts = np.stack([unit(unit(words[name]).mean(axis=0)) for name in NAMES])
    logits = 100 * clip @ texts.T
    expected = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected /= expected.sum(axis=1, keepdims=True)
    assert head.classes == NAMES
    np.testing.assert_allclose(probabilities(head, features), expected, atol=1e-9)


def test_every_state_stands_in_every_template_once() -> None:
    assert ensemble(["a cut", "a {} dent"], None) == ("a cut", "a {} dent")
    made = ensemble(["a cut", "a dent", "a cut"], ["{}", "a photo of {}"])
    assert made == ("a cut", "a photo of a cut", "a dent", "a photo of a dent")


def test_directions_come_back_from_the_head(words: dict[str, np.ndarray]) -> None:
    made = prototypes(words, D)
    for name, direction in prototypes_of(zero_shot_head(made)).items():
        np.testing.assert_allclose(direction, made[name], atol=1e-12)


def test_a_recipe_without_clip_in_it_is_refused(words: dict[str, np.ndarray]) -> None:
    with pytest.raises(ModelError, match="cannot be compared"):
        prototypes(words, D, recipe="something-else/1")


def test_without_pictures_the_blend_is_zero_shot(words: dict[str, np.ndarray]) -> None:
    made = prototypes(words, D)
    features = pictures(words, list(NAMES), noise=0.2)
    blend, alone = few_shot_head(np.empty((0, D)), [], made), zero_shot_head(made)
    np.testing.assert_allclose(probabilities(blend, features), probabilities(alone, features))


def test_pictures_outvote_prompts_that_are_wrong(words: dict[str, np.ndarray]) -> None:
    """Prompts in the wrong order: words alone get nothing right, the blend nearly all."""
    turned = {name: words[NAMES[(i + 1) % 3]] for i, name in enumerate(NAMES)}
    made = prototypes(turned, D)
    labels = list(NAMES) * 6
    features = pictures(words, labels, noise=0.2)
    fresh = pictures(words, list(NAMES) * 20, noise=0.2)[18:]
    truth = (list(NAMES) * 20)[18:]

    def right(head: object) -> float:
        best = probabilities(head, fresh).argmax(axis=1)  # type: ignore[arg-type]
        return float(np.mean([NAMES[i] == name for i, name in zip(best, truth, strict=True)]))

    assert right(zero_shot_head(made)) < 0.2
    assert right(few_shot_head(features, labels, made)) > 0.9


def test_a_class_without_pictures_is_found_by_its_prompts(words: dict[str, np.ndarray]) -> None:
    labels = ["good", "bent"] * 4
    features = pictures(words, labels, noise=0.1)
    head = few_shot_head(features, labels, prototypes(words, D))
    assert head.classes == NAMES
    said = probabilities(head, pictures(words, ["cut"] * 5, noise=0.1)).argmax(axis=1)
    assert [NAMES[i] for i in said] == ["cut"] * 5


def test_a_class_without_prompts_is_found_by_its_pictures(words: dict[str, np.ndarray]) -> None:
    labels = list(NAMES) * 4
    features = pictures(words, labels, noise=0.1)
    without = {name: vectors for name, vectors in words.items() if name != "cut"}
    head = few_shot_head(features, labels, prototypes(without, D))
    said = probabilities(head, features).argmax(axis=1)
    assert [NAMES[i] for i in said] == labels


def test_one_picture_a_class_is_enough_to_fit(words: dict[str, np.ndarray]) -> None:
    head = few_shot_head(pictures(words, list(NAMES), noise=0.1), list(NAMES), prototypes(words, D))
    assert np.isfinite(head.coef).all()


def test_what_cannot_be_blended_says_why(words: dict[str, np.ndarray]) -> None:
    made = prototypes(words, D)
    features = pictures(words, list(NAMES), noise=0.1)
    features[1, 0] = np.nan
    with pytest.raises(TrainingError, match="of 1 pictures are not finite"):
        few_shot_head(features, list(NAMES), made)
    with pytest.raises(TrainingError, match="do not match"):
        few_shot_head(features, ["good"], made)
    with pytest.raises(TrainingError, match="two classes"):
        few_shot_head(features, ["good"] * 3, {"good": made["good"]})


def test_a_part_seen_twice_does_not_praise_the_pictures(words: dict[str, np.ndarray]) -> None:
    """Pictures that say nothing, and know their twins: without their parts none of them does."""
    made, labels = prototypes(words, D), list(NAMES) * 2
    features = np.repeat(unit(np.random.default_rng(2).normal(size=(6, D))), 5, axis=0)
    names, parts = np.repeat(labels, 5).tolist(), np.repeat(np.arange(6), 5)
    twins, apart = (few_shot_head(features, names, made, parts=p) for p in (None, parts))
    once = few_shot_head(features[::5], labels, made)
    np.testing.assert_allclose(apart.coef, once.coef)
    assert not np.allclose(twins.coef, apart.coef)
