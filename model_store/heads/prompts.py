"""Heads from prompts, and from prompts and a few labels: what a product works with on day one.

The fused feature holds CLIP's image embedding in its first columns, so a class described in words
is a direction in feature space, and both heads are one affine layer like any other. Sources:
A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision" (2021),
section 3.1, for prompts as classifier weights; R. Zhang et al., "Tip-Adapter" (2022) for adding
similarities to labelled pictures to them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import sqrt

import numpy as np

from linewatch.errors import ModelError, TrainingError
from model_store.heads.head import Head
from model_store.validation.folds import Numbers, part_numbers
from quality.arrays import Floats
from vision.fingerprint import RECIPE

TEXT_TEMPERATURE = 100.0  # CLIP multiplies its cosines by this: exp(logit_scale) at its ceiling
SHARES = (1.0, 0.75, 0.5, 0.25, 0.0)  # of the prompts in the blend
IMAGE_TEMPERATURES = (10.0, 30.0, 100.0)
# Of how many parts, each of length 1 before the whole is, a recipe's vectors are made. CLIP's
# embedding is the first, so its length in them is 1/√parts.
PARTS = {RECIPE: 2, "patches/1": 8, "pools/1": 8, "surface/1": 12}

Prototypes = Mapping[str, Floats]


def ensemble(states: Sequence[str], templates: Sequence[str] | None) -> tuple[str, ...]:
    """Every state in every template: their mean is steadier than any one sentence.

    Jeong et al., "WinCLIP: Zero-/few-shot anomaly classification and segmentation" (CVPR 2023),
    section 4.1: what a part may be like, times what may be said of a photo of it.

    Args:
        states: a class's prompts.
        templates: with one {} each, for the state; None: the states as they are.
    """
    if not templates:
        return tuple(states)
    made = (template.replace("{}", state) for state in states for template in templates)
    return tuple(dict.fromkeys(made))


def prototypes(embedded: Mapping[str, Floats], dim: int, recipe: str = RECIPE) -> Prototypes:
    """Each class's direction in feature space, float64 [d] of length 1.

    Args:
        embedded: by class, CLIP's text embeddings of its prompts, float [p, c].
        dim: d, the length of the fused features; CLIP's c come first in them.
        recipe: how the features are fused.

    Raises:
        ModelError: with this recipe, CLIP's embedding is not in the features as it is.
    """
    if recipe not in PARTS:
        raise ModelError(
            f"prompts cannot be compared with features of recipe {recipe!r}; label some pictures "
            "and train with `linewatch train`"
        )
    found = {}
    for name, vectors in embedded.items():
        unit = _unit(np.asarray(vectors, dtype=np.float64))
        found[name] = np.zeros(dim)
        found[name][: unit.shape[1]] = _unit(unit.mean(axis=0, keepdims=True))[0]
    return found


def zero_shot_head(words: Prototypes, recipe: str = RECIPE) -> Head:
    """Judges by words alone: softmax of 100 times the cosine of picture and prompt.

    Args:
        words: from `prototypes`; two classes or more.
        recipe: how the features are fused.
    """
    classes = tuple(sorted(words))
    directions = np.stack([words[name] for name in classes])
    return _head(classes, _text_weight(recipe) * directions, directions)


def prototypes_of(head: Head) -> Prototypes:
    """The directions that a zero-shot head was made from."""
    directions = _unit(head.coef)
    return dict(zip(head.classes, directions, strict=True))


def few_shot_head(
    vectors: Floats,
    labels: Sequence[str],
    words: Prototypes,
    recipe: str = RECIPE,
    parts: Numbers | None = None,
) -> Head:
    """Blends prompts with the mean picture of each class.

    logits = s · 100 · cos(picture, prompt) + (1 − s) · t · cos(picture, mean picture); share s and
    temperature t are those with the least log loss when each labelled picture is judged without
    its part. A class without pictures is as similar to every picture as the classes are on average,
    so its prompts decide; a class without prompts, the other way round.

    Args:
        vectors: float64 [n, d], n may be 0.
        labels: n class names.
        words: the classes' directions, from `prototypes_of`.
        recipe: how the features are fused.
        parts: int64 [n], the number of each picture's part; None: all different.

    Raises:
        TrainingError: lengths differ, a number is not finite, or there are fewer than two classes.
    """
    names = tuple(sorted({*words, *labels}))
    _check(vectors, labels, names)
    text = _text_weight(recipe) * _filled({name: words[name] for name in words}, names)
    if not len(vectors):
        return _head(names, text, _unit(text))
    rows = _unit(vectors)
    actual = np.searchsorted(np.asarray(names), np.asarray(labels, dtype=np.str_))
    means = {
        name: rows[actual == index].mean(axis=0)
        for index, name in enumerate(names)
        if (actual == index).any()
    }
    seen = _filled({name: _unit(mean[None])[0] for name, mean in means.items()}, names)
    shown = part_numbers(None, len(rows)) if parts is None else parts
    apart = _without_its_part(rows, actual, seen, shown)
    share, temperature = _blend(rows, actual, text, seen, apart, all_seen=len(means) == len(names))
    return _head(names, share * text + (1 - share) * temperature * seen, seen)


def _blend(
    rows: Floats,
    actual: np.ndarray[tuple[int], np.dtype[np.intp]],
    text: Floats,
    seen: Floats,
    apart: Floats,
    *,
    all_seen: bool,
) -> tuple[float, float]:
    """The share of the prompts and the temperature of the pictures, by leaving each part out.

    `apart` is from `_without_its_part`.
    """
    by_words = rows @ text.T
    by_pictures = rows @ seen.T
    everyone = np.arange(len(rows))
    by_pictures[everyone, actual] = apart
    best, least = (1.0, IMAGE_TEMPERATURES[0]), np.inf
    for share in SHARES if all_seen else SHARES[:-1]:
        for temperature in IMAGE_TEMPERATURES:
            logits = share * by_words + (1 - share) * temperature * by_pictures
            loss = float(np.mean(_log_sum_exp(logits) - logits[everyone, actual]))
            if loss < least - 1e-12:
                best, least = (share, temperature), loss
    return best


def _without_its_part(
    rows: Floats,
    actual: np.ndarray[tuple[int], np.dtype[np.intp]],
    seen: Floats,
    parts: Numbers,
) -> Floats:
    """Each picture's cosine with the mean of its class's pictures of other parts, float64 [n]."""
    counts = np.bincount(actual, minlength=len(seen))
    sums = np.stack([rows[actual == index].sum(axis=0) for index in range(len(seen))])
    _, mine = np.unique(np.stack([actual, parts]), axis=1, return_inverse=True)
    of_part = np.zeros((int(mine.max()) + 1, rows.shape[1]))
    np.add.at(of_part, mine, rows)
    others = _unit(sums[actual] - of_part[mine])
    alone = counts[actual] == np.bincount(mine)[mine]
    if alone.any():  # then its class has no picture left, and is like the average class
        neutral = seen[counts > 0].mean(axis=0)
        others[alone] = neutral
    cosines: Floats = np.einsum("nd,nd->n", rows, others)
    return cosines


def _filled(known: Mapping[str, Floats], names: Sequence[str]) -> Floats:
    """[k, d] with the mean of those known in place of each that is not."""
    neutral = np.mean(list(known.values()), axis=0)
    return np.stack([known.get(name, neutral) for name in names])


def _text_weight(recipe: str) -> float:
    return TEXT_TEMPERATURE * sqrt(PARTS[recipe])


def _head(names: tuple[str, ...], coef: Floats, centroids: Floats) -> Head:
    k, d = coef.shape
    return Head(
        classes=names,
        mean=np.zeros(d),
        scale=np.ones(d),
        coef=coef,
        intercept=np.zeros(k),
        centroids=centroids,
    )


def _check(vectors: Floats, labels: Sequence[str], names: Sequence[str]) -> None:
    if len(vectors) != len(labels):
        raise TrainingError(f"{len(vectors)} feature vectors do not match {len(labels)} labels")
    if len(names) < 2:
        raise TrainingError(f"two classes are needed; there is {', '.join(names) or 'none'}")
    broken = np.flatnonzero(~np.isfinite(vectors).all(axis=1)) if len(vectors) else np.empty(0)
    if broken.size:
        raise TrainingError(
            f"the features of {broken.size} pictures are not finite (the first is number "
            f"{broken[0]}); inspect these pictures again, or leave their labels out"
        )


def _unit(rows: Floats) -> Floats:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit: Floats = rows / np.where(lengths > 0, lengths, 1.0)
    return unit


def _log_sum_exp(logits: Floats) -> Floats:
    highest = logits.max(axis=1)
    sums: Floats = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    return sums
