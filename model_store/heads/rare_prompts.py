"""Prompts help the classes that have few labels, each by itself; the others are left as fitted.

A new defect has two labels while the rest have hundreds. Its row of the affine layer is blended
with what its sentences say, by the share that tells held-out pictures apart best; a share of 0
leaves the row as it was fitted. The other classes' rows stay.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from linewatch.errors import TrainingError
from model_store.heads.head import Head
from model_store.heads.prompts import SHARES, Prototypes
from model_store.training_copies.copies import Copies, given
from model_store.validation.folds import Fit, Numbers
from quality.arrays import Floats

_FOLDS = 4
_CLEARLY = 0.1  # of the log-loss: what a few pictures must gain before the words are heard
_LOWEST = -50.0  # the logit of a class that a fold's model never saw


def helped_by_prompts(fit: Fit, words: Prototypes, rare: Collection[str]) -> Fit:
    """A fit whose rows for rare classes are blended with their prompts'.

    Args:
        fit: fits all classes from labels.
        words: the classes' directions, from `model_store.heads.prompts.prototypes_of`.
        rare: the classes to help; those without words are left alone.
    """
    helped = sorted(set(rare) & set(words))

    def fitted(
        vectors: Floats, labels: Sequence[str], parts: Numbers, copies: Copies | None = None
    ) -> Head:
        head = fit(vectors, labels, parts, **given(copies))
        there = [name for name in helped if name in head.classes]
        if not there:
            return head
        said = _spoken(words, head.classes)
        seen = _held_out(fit, vectors, labels, parts, head.classes, copies)
        loud = _loudness(seen, vectors @ said.T)
        shares = _shares(seen, loud * (vectors @ said.T), labels, head.classes, there)
        return _blended(head, loud * said, shares)

    return fitted


def _spoken(words: Prototypes, classes: Sequence[str]) -> Floats:
    """[k, d] directions less their mean: a class without words is like the mean of the others."""
    known = np.stack([words[name] for name in classes if name in words])
    middle = known.mean(axis=0)
    return np.stack([words.get(name, middle) - middle for name in classes])


def _held_out(
    fit: Fit,
    vectors: Floats,
    labels: Sequence[str],
    parts: Numbers,
    classes: Sequence[str],
    copies: Copies | None,
) -> Floats:
    """Logits [n, k] less their mean, of models that had not seen the picture's part.

    Parts are dealt out class by class, so that a class of two parts is tested as well; stratified
    folds leave such a class untested.
    """
    names, logits = np.asarray(labels), np.full((len(labels), len(classes)), np.nan)
    deal = _dealt(names, parts)
    for number in range(_FOLDS):
        test, learn = deal == number, deal != number
        mine = None if copies is None else copies.of_rows(np.flatnonzero(learn))
        if not test.any():
            continue
        try:
            head = fit(vectors[learn], names[learn].tolist(), parts[learn], **given(mine))
        except TrainingError:  # it would have been left with one class
            continue
        weight, bias = head.affine()
        rows = np.full((int(test.sum()), len(classes)), _LOWEST)
        rows[:, [list(classes).index(name) for name in head.classes]] = (
            vectors[test] @ weight.T + bias
        )
        logits[test] = rows - rows.mean(axis=1, keepdims=True)
    return logits


def _dealt(names: np.ndarray[tuple[int], np.dtype[np.str_]], parts: Numbers) -> Numbers:
    """The fold of each picture: of every class the first part is in fold 0, the next in 1, …"""
    fold: dict[int, int] = {}
    for name in np.unique(names):
        fresh = [part for part in np.unique(parts[names == name]).tolist() if part not in fold]
        fold.update({part: place % _FOLDS for place, part in enumerate(fresh)})
    return np.asarray([fold[part] for part in parts.tolist()], np.int64)


def _loudness(seen: Floats, said: Floats) -> float:
    """What the words' logits are multiplied by, to spread as far as the pictures' do."""
    known = np.isfinite(seen).all(axis=1) & (seen > _LOWEST / 2).all(axis=1)
    spread = float(said.std())
    return float(seen[known].std()) / spread if known.any() and spread > 0 else 1.0


def _shares(
    seen: Floats,
    said: Floats,
    labels: Sequence[str],
    classes: Sequence[str],
    helped: Sequence[str],
) -> dict[str, float]:
    """The prompts' share in each helped class's logit, by least log-loss, class after class."""
    tested = np.isfinite(seen).all(axis=1)
    actual = np.searchsorted(np.asarray(classes), np.asarray(labels))[tested]
    logits, words = seen[tested].copy(), said[tested]
    chosen: dict[str, float] = {}
    for name in helped:
        column = list(classes).index(name)
        fitted = logits[:, column].copy()
        losses = {}
        for share in sorted(SHARES):
            logits[:, column] = (1 - share) * fitted + share * words[:, column]
            losses[share] = _log_loss(logits, actual)
        share = min(losses, key=lambda share: losses[share])
        if losses[share] >= (1 - _CLEARLY) * losses[0.0]:
            share = 0.0
        chosen[name] = share
        logits[:, column] = (1 - share) * fitted + share * words[:, column]
    return chosen


def _log_loss(logits: Floats, actual: np.ndarray[tuple[int], np.dtype[np.intp]]) -> float:
    """Each class's pictures weigh the same in total: two of a rare one count as two hundred."""
    if not len(actual):
        return 0.0
    highest = logits.max(axis=1)
    sums = highest + np.log(np.exp(logits - highest[:, None]).sum(axis=1))
    losses = sums - logits[np.arange(len(actual)), actual]
    counts = np.bincount(actual, minlength=logits.shape[1])
    return float((losses / counts[actual]).sum())


def _blended(head: Head, said: Floats, shares: dict[str, float]) -> Head:
    """Rows of helped classes: the share of the words, and the rest of what was fitted.

    Both are taken less the mean over classes, as they were compared; softmax does not see it.
    """
    weight, bias = head.affine()
    weight, bias = weight - weight.mean(axis=0), bias - bias.mean()
    for name, share in shares.items():
        row = head.classes.index(name)
        weight[row] = (1 - share) * weight[row] + share * said[row]
        bias[row] = (1 - share) * bias[row]
    coef = weight * head.scale
    return replace(head, coef=coef, intercept=bias + weight @ head.mean)
